extension FactsScript {
    /// What is read only before an upgrade is planned.
    ///
    /// - Source: the vendor's packages: under `/opt/canopsis/etc` every file is a configuration file of the package; dpkg-query(1), rpm(8).
    static let planning =
        #"""
        if [ "$OFFER" = yes ]; then
        section inodes; space -i
        section reboot
        running=$(uname -r)
        newest=$(for f in /boot/vmlinuz-[1-9]*; do if [ -e "$f" ]; then printf '%s\n' "${f#/boot/vmlinuz-}"; fi; done | sort -V | tail -n 1)
        if [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; then echo required; fi
        # A container has no kernel of its own: only one that runs and is on disk can be compared.
        if [ -e "/boot/vmlinuz-$running" ] && [ "$newest" != "$running" ]; then printf 'kernel\t%s\t%s\n' "$running" "$newest" | cut -b 1-200; fi
        echo asked

        section containers
        if ! have docker; then echo docker absent
        elif images=$(limit 10 docker ps -a --format '{{.Image}}'); then
            echo docker asked
            printf '%s\n' "$images" | grep -E '(^|/)canopsis/|^docker\.canopsis\.net/' | sort -u | head -n 20 | cut -b 1-200 | sed "s/^/image$tab/"
        else echo docker silent
        fi
        grep -l -s -E "^[[:space:]]*image:[[:space:]]*[\"']?(docker\.canopsis\.net/|([^[:space:]]*/)?canopsis/)" \
            /docker-compose*.y*ml /opt/docker-compose*.y*ml /opt/*/docker-compose*.y*ml /srv/docker-compose*.y*ml /srv/*/docker-compose*.y*ml \
            /root/docker-compose*.y*ml /root/*/docker-compose*.y*ml /home/*/docker-compose*.y*ml /home/*/*/docker-compose*.y*ml |
            head -n 20 | cut -b 1-300 | sed "s/^/file$tab/"

        section redis
        if have redis-server; then limit 5 redis-server --version | sed -n 's/.*v=\([0-9][0-9.]*\).*/\1/p' | head -n 1; else echo absent; fi

        """# + services + conffiles + database + "fi\n"

    /// Where the configuration says the services are: names and addresses, and nothing else of any line.
    private static let services = #"""
        machines() {
            sed -n -e '/^[[:space:]]*[#;]/d' -e 's/^[[:space:]]*host[[:space:]]*[=:][[:space:]]*//p' -e 's/^[[:space:]]*db_uri[[:space:]]*[=:][[:space:]]*//p' \
                -e 's/.*CPS_[A-Z]*_URL=//p' "$1" |
                sed -e "s/^[\"']//" -e 's/^.*@//' -e 's/^[A-Za-z0-9+]*:\/\///' -e "s/[/?\"'[:space:]].*//" | tr ',' '\n' |
                sed -e 's/^\[\([^]]*\)\].*/\1/' -e t -e '/:.*:/!s/:[0-9]*$//' | grep -E '^([A-Za-z0-9_][A-Za-z0-9._-]{0,252}|[0-9A-Fa-f:.]{2,45})$'
        }
        section services
        if [ -d /opt/canopsis/etc ] && [ ! -x /opt/canopsis/etc ]; then echo failed
        else
            found=$(
                for f in /opt/canopsis/etc/common/mongo_store.conf /opt/canopsis/etc/mongo/storage.conf /opt/canopsis/etc/cstorage.conf \
                    /opt/canopsis/etc/amqp.conf /opt/canopsis/etc/common/redis_store.conf /opt/canopsis/etc/influx/storage.conf \
                    /opt/canopsis/etc/go-engines-vars.conf /etc/systemd/system/canopsis-engine-go@.service.d/*.conf; do
                    if [ -r "$f" ]; then machines "$f" | sort -u | sed "s|^|service$tab$f$tab|"; fi
                done | head -n 60
            )
            if [ -n "$found" ]; then printf '%s\n' "$found"; fi
            for name in $(hostname) $(limit 5 hostname -I); do printf 'own\t%s\n' "$name"; done | head -n 60
            for name in $(printf '%s\n' "$found" | cut -f 3 | sort -u); do
                limit 5 getent -s files ahosts "$name" | cut -d ' ' -f 1 | sort -u | head -n 10 | sed "s|^|listed$tab$name$tab|"
            done
            echo asked
        fi

        """#

    /// The configuration files that are not as delivered. Only these are compared with their digests, not all that a package has.
    private static let conffiles = #"""
        section conffiles
        {
            case $manager in
            apt)
                dpkg-query -W -f='${Conffiles}\n' 'canopsis*' | sed -n 's|^ \(/.*\) \([0-9a-f]\{32\}\)$|\2  \1|p' | limit 30 md5sum -c --quiet
                ;;
            yum)
                list=$(rpm -qa --qf '[%{FILEFLAGS:fflags}\t%{FILEDIGESTS}\t%{FILENAMES}\n]' 'canopsis*' | grep "^[a-z]*c[a-z]*$tab")
                printf '%s\n' "$list" | sed -n "s|^[a-z]*$tab\([0-9a-f]\{64\}\)$tab|\1  |p" | limit 30 sha256sum -c --quiet
                printf '%s\n' "$list" | sed -n "s|^[a-z]*$tab\([0-9a-f]\{32\}\)$tab|\1  |p" | limit 30 md5sum -c --quiet
                ;;
            esac
        } | sed -n "s/^\(\/.*\): FAILED\( open or read\)\{0,1\}$/edited$tab\1/p" | head -n 200 | cut -b 1-300
        for d in /opt/canopsis/etc /opt/canopsis/opt; do
            if [ -d "$d" ]; then
                limit 20 find "$d" -xdev -type f '(' -name '*.dpkg-dist' -o -name '*.dpkg-new' -o -name '*.ucf-dist' -o -name '*.rpmnew' ')' -print
            fi
        done | head -n 100 | cut -b 1-300 | sed "s/^/left$tab/"
        if [ "$me" = 0 ] && [ "$manager" != none ]; then echo asked; fi

        """#

    /// What the database says, by the host's own client: it reads the credentials and the question from standard input. It has no home
    /// to write to.
    private static let database =
        """
        section database
        {
        if [ "$me" != 0 ]; then echo "only root can read the credentials"; echo "status 1"
        else
        (
        HOME=/dev/null; export HOME
        \(DatabaseScript.client)
        feed() {
            \(DatabaseScript.credentials)
            cat <<'END-OF-SCRIPT'
        \(DatabaseQuestion.lines.joined(separator: "\n"))
        END-OF-SCRIPT
        }
        feed | limit \(DatabaseQuestion.seconds) "$client" --quiet --norc --nodb
        )
        printf '\\nstatus %s\\n' $?
        fi
        } | head -c 8192

        """
}

/// The question to a host's database: does it answer, and what did `canopsinit` write there. It reads, and changes nothing.
///
/// - Source: `canopsis-filldb` and `canopsinit`, see ``CheckDatabase``.
enum DatabaseQuestion {
    /// How long it may take, in seconds.
    static let seconds = 20

    /// Lines for a client that reads them one by one, see ``DatabaseScript``. Each answer is a line of its own that begins with `fleet`,
    /// and a text of the database is in quotes, its line feeds escaped.
    static var lines: [String] { DatabaseScript.pieces(of: javaScript).map { "void (fleetScript += \"\($0)\");" } + [ending] }

    private static let javaScript = """
        print("fleet initialized " + (db.getCollection("initialized").findOne({_id: "initialized"}) ? "yes" : "no"));
        var declared = db.getCollection("configuration").findOne({_id: "canopsis_version"}) || {};
        ["version", "edition", "stack"].forEach(function (name) {
            print("fleet " + name + " " + (typeof declared[name] === "string" ? JSON.stringify(declared[name]) : "none"));
        });

        """

    private static let ending =
        "var fleetAt = \"connect\"; try { var db = \(DatabaseScript.connection); fleetAt = \"ping\"; var fleetPing = db.runCommand({ping: 1}); "
        + "if (!fleetPing || !fleetPing.ok) { throw new Error(\"a ping was not answered\"); } fleetAt = \"login\"; \(DatabaseScript.login) "
        + "fleetAt = \"read\"; eval(fleetScript); quit(\(DatabaseScript.done)); } catch (problem) { print(\"fleet at \" + fleetAt); "
        + "print(\"failed: \" + (problem.message || problem)); quit(1); }"
}
