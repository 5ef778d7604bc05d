/// What a host was before a run changed it, kept on the host in `/var/lib/fleet/saved/RUN/` (root, 0700).
///
/// `configuration.tar.gz` holds `/opt/canopsis/etc` and the overrides of Canopsis units, `packages` every installed package with
/// its version, `conffiles` which configuration files were edited by hand. Saved once per run: what a second try finds is not
/// what the host was.
public struct SavedState: Hashable, Sendable, Codable {
    /// Where it is on the host.
    public var folder: String
    /// How large it is, in bytes.
    public var bytes: Int64
    /// The package manager of the host; nil in notes of Fleet before it was kept.
    public var manager: PackageManager?
    /// The Canopsis packages that were installed; nil in notes of Fleet before they were kept.
    public var packages: [Package]?

    /// Creates the note.
    public init(folder: String, bytes: Int64, manager: PackageManager? = nil, packages: [Package]? = nil) {
        self.folder = folder
        self.bytes = bytes
        self.manager = manager
        self.packages = packages
    }

    /// Where states are saved on a host.
    public static let home = Job.home + "/saved"

    /// How many bytes must stay free beside what is saved.
    static let room: Int64 = 16 << 20

    /// What was asked to be saved, and what the host answered.
    public enum Answer: Hashable, Sendable {
        /// It is saved.
        case saved(SavedState)
        /// It is not, and why in the host's words.
        case refused(String)
    }

    /// What to feed to a root shell to save the state; prints one line `NONCE saved BYTES` or `NONCE refused WORDS`.
    ///
    /// The folder is made aside and renamed into place, so what is there is whole.
    public static func script(run: RunID, nonce: String) -> String {
        """
        LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH
        umask 077
        home=\(home)
        dir=$home/\(run)
        answer() { printf '\\n%s %s\\n' \(nonce) "$*"; exit 0; }
        size() { du -sk "$dir" 2>/dev/null | awk '{ printf "%d", $1 * 1024 }'; }
        if [ -d "$dir" ]; then answer saved "$(size)"; fi
        mkdir -p "$home" 2>/dev/null && chmod 700 "$home" || answer refused "cannot make $home"
        # What a shell that was cut off left half made.
        rm -rf "$home"/new.*
        set -- opt/canopsis/etc
        for path in /etc/systemd/system/canopsis*; do if [ -e "$path" ]; then set -- "$@" "${path#/}"; fi; done
        need=$(cd / && du -sk "$@" 2>/dev/null | awk '{ sum += $1 } END { printf "%d", sum * 1024 }')
        free=$(df -Pk "$home" | awk 'NR == 2 { printf "%d", $4 * 1024 }')
        if [ "$free" -lt $((need + \(room))) ]; then answer refused "$free bytes are free in $home, $((need + \(room))) are needed"; fi
        new=$(mktemp -d "$home/new.XXXXXX") || answer refused "cannot write to $home"
        give_up() { rm -rf "$new"; answer refused "$*"; }
        if [ -d /opt/canopsis/etc ]; then
            words=$(tar -C / -czf "$new/configuration.tar.gz" "$@" 2>&1) || give_up "$(printf %s "$words" | tail -n 1 | head -c 300)"
        fi
        {
            if command -v dpkg-query >/dev/null; then dpkg-query -W -f='${Package}=${Version}\\n'; else rpm -qa --qf '%{NAME}-%{VERSION}-%{RELEASE}\\n' | sort; fi
        } >"$new/packages" 2>/dev/null || give_up "the list of packages could not be written"
        {
            if command -v dpkg-query >/dev/null; then
                dpkg-query -W -f='${Conffiles}\\n' 'canopsis*' | while read -r file sum rest; do
                    if [ -f "$file" ] && [ "$(md5sum <"$file" | cut -c 1-32)" != "$sum" ]; then echo "edited $file"; fi
                done
            else
                rpm -qa 'canopsis*' | xargs -r rpm -V | grep ' c /' | sed 's/^.* c /edited /'
            fi
            true
        } >"$new/conffiles" 2>/dev/null || give_up "the list of edited files could not be written"
        for file in "$new"/*; do dd if=/dev/null of="$file" conv=notrunc,fsync 2>/dev/null; done
        mv -T "$new" "$dir" 2>/dev/null || give_up "cannot write to $home"
        # The states of the last five runs are kept.
        ls -1t "$home" | sed '1,5d' | while read -r old; do
            case $old in \(run)) ;; [0-9]*-[0-9]*-*) rm -rf "$home/$old" ;; esac
        done
        answer saved "$(size)"

        """
    }

    /// Reads the answer; nil if there is none.
    public static func answer(in output: [UInt8], run: RunID, nonce: String) -> Answer? {
        for line in output.split(separator: 0x0a) where line.starts(with: "\(nonce) ".utf8) {
            let words = String(decoding: line.dropFirst(nonce.utf8.count + 1).prefix(600), as: UTF8.self)
            if words.hasPrefix("refused ") { return .refused(String(words.dropFirst("refused ".count))) }
            if words.hasPrefix("saved "), let bytes = Int64(words.dropFirst("saved ".count)), bytes >= 0 {
                return .saved(SavedState(folder: "\(home)/\(run)", bytes: bytes))
            }
        }
        return nil
    }

    /// The commands that put packages and configuration back, as root on the host, in this order. What `canopsinit` did to the
    /// database they do not undo.
    public var wayBack: [String] {
        let names = (packages ?? []).sorted().map { manager == .yum ? "\($0.name)-\($0.version)" : "\($0.name)=\($0.version)" }
        let packages =
            switch manager {
            case .some(let manager) where !names.isEmpty:
                [
                    (manager == .yum ? ["yum", "downgrade"] : ["apt-get", "install"]).joined(separator: " ") + " "
                        + names.map(shellQuoted).joined(separator: " ")
                ]
            default: [String]()
            }
        return packages + ["tar -C / -xzf \(shellQuoted(folder + "/configuration.tar.gz"))", "systemctl daemon-reload"]
    }
}
