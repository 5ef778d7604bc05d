# shellcheck shell=bash
# What all hosts of a kind share above the base tree: a release of Canopsis installed and deployed, the repositories
# known, the users made. A host then adds only its identity.

LAB_FIRST_CANOPSIS=3.25.0
LAB_FIRST_TOOL=1.0

# Prints the lower folders of a kind of host, highest first, as overlayfs wants them: lower_folders deb|rpm RELEASE EDITION STACK.
lower_folders() {
    local kind=$1 base digest layer
    base=$(base_tree)
    [ "$kind" = deb ] || base=$(rpm_tools_tree):$base
    digest=$(layer_digest "$base")
    layer=$(tree "$1-$2-$3-$4" "$digest" "make_${kind}_layer" "$2" "$3" "$4")
    printf '%s:%s\n' "$layer" "$base"
}

# A layer is tied to the very packages, key and base it was made from, not only to the scripts that made them.
layer_digest() {
    { digest_of_files lib/layers.sh lib/systems.sh systems && release_digest && cat "${1##*:}/usr/lib/fleet-lab/stamp" &&
        printf '%s\n' "$LAB_RANGE"; } | digest
}

# make_deb_layer FOLDER RELEASE EDITION STACK
make_deb_layer() {
    make_layer "$1" "$(base_tree)" install_on_deb "$2" "$3" "$4"
}

make_rpm_layer() {
    make_layer "$1" "$(rpm_tools_tree):$(base_tree)" install_on_rpm "$2" "$3" "$4"
}

make_layer() {
    local folder=$1 lower=$2 layer=$1.layer
    shift 2
    forget_tree "$layer"
    on_layer "$layer" "$lower" "$@"
    rm -rf "$folder"
    mv "$layer/upper" "$folder"
    rm -rf "$layer"
}

# The packages an edition and a stack have.
packages_of() {
    local edition=$1 stack=$2
    printf 'canopsis-%s\n' "$edition"
    if [ "$stack" = go ]; then
        printf 'canopsis-engines-go\n'
        [ "$edition" = core ] || ! from 3.25.0 || printf 'canopsis-engines-go-cat\n'
    fi
}

# The files of these packages in one release: package_files KIND RELEASE EDITION STACK.
package_files() {
    local kind=$1 version=$2 pool package
    pool=$(release_pool "$2")
    for package in $(packages_of "$3" "$4"); do
        printf '%s\n' "$pool/$kind/$package"[_-]"$version"-*."$kind"
    done
}

# Those of the operating system's packages that these .deb files depend on.
needed_debs() {
    local needed deb name
    needed=$(for deb in "$@"; do dpkg-deb -f "$deb" Depends; done | sed 's/ *([^)]*)//g' | tr -s ', \n' ' ')
    for deb in "$(package_pool)"/deb/*.deb; do
        name=$(basename "$deb")
        if [[ " $needed" == *" ${name%%_*} "* ]]; then
            printf '%s\n' "$deb"
        fi
    done
}

install_on_deb() {
    local root=$1 pool files
    pool=$(package_pool)
    files=$(package_files deb "$2" "$3" "$4")
    # shellcheck disable=SC2046,SC2086  # lists of files
    install_logged "$root" "dpkg -i" $files $(needed_debs $files) "$pool"/deb/lab-tool_"$LAB_FIRST_TOOL"-*.deb
    install -D -m 644 "$pool/lab.gpg" "$root/usr/share/keyrings/fleet-lab.gpg"
    apt_source canopsis main >"$root/etc/apt/sources.list.d/canopsis.list"
    apt_source debian main non-free >"$root/etc/apt/sources.list.d/system.list"
    finish_layer "$@"
}

apt_source() {
    printf 'deb [signed-by=/usr/share/keyrings/fleet-lab.gpg] http://%s.1/%s stable %s\n' "$LAB_RANGE" "$1" "${*:2}"
}

install_on_rpm() {
    local root=$1 pool
    pool=$(package_pool)
    dress_as_centos7 "$root"
    install -D -m 644 "$pool/lab.asc" "$root/etc/pki/rpm-gpg/RPM-GPG-KEY-fleet-lab"
    inside "$root" rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-fleet-lab
    # shellcheck disable=SC2046  # a list of files
    install_logged "$root" "rpm -i" "$pool"/rpm/centos-release-*.rpm $(package_files rpm "$2" "$3" "$4") "$pool"/rpm/lab-tool-"$LAB_FIRST_TOOL"-*.rpm
    mkdir -p "$root/etc/yum.repos.d"
    yum_repository canopsis canopsis >"$root/etc/yum.repos.d/canopsis.repo"
    yum_repository base system >"$root/etc/yum.repos.d/CentOS-Base.repo"
    finish_layer "$@"
}

# A repository that does not answer is an error, as for yum 3; Debian's dnf would go on without it and end with 0.
yum_repository() {
    printf '[%s]\nname=%s\nbaseurl=http://%s.1/%s/rpm/\nenabled=1\ngpgcheck=1\n' "$1" "$1" "$LAB_RANGE" "$2"
    printf 'gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fleet-lab\nmetadata_expire=21600\nskip_if_unavailable=0\n'
}

# Runs a package manager inside the tree on package files: install_logged ROOT "COMMAND OPTION" FILE...
install_logged() {
    local root=$1 command=$2 log
    shift 2
    log=$(mktemp)
    mkdir "$root/root/packages"
    cp "$@" "$root/root/packages"
    if ! inside "$root" sh -c "cd /root/packages && $command *" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        die "could not install the stand-in packages"
    fi
    rm -rf "$root/root/packages" "$log"
}

# finish_layer ROOT RELEASE EDITION STACK
finish_layer() {
    local root=$1
    install_database "$@"
    deploy_canopsis "$@"
    make_users "$root"
    # Whoever runs a command that is counted may write.
    rm -rf "$root/var/log/fleet-lab"
    mkdir -p "$root/etc/fleet-test" "$root/var/log/fleet-lab"
    chmod 777 "$root/var/log/fleet-lab"
}

# MongoDB's stand-in: its shell, and the documents of a host in use. There everybody who reaches the port may come in.
install_database() {
    local root=$1 version=$2 edition=$3 stack=$4 store=$1/var/lib/canopsis-db
    mkdir -p "$root/usr/lib/fleet-lab/mongo" "$store"
    install -m 644 "$LAB_FOLDER"/systems/mongo/*.js "$root/usr/lib/fleet-lab/mongo/"
    install -m 755 "$LAB_FOLDER/systems/mongo/database" "$root/usr/lib/fleet-lab/database"
    install -m 755 "$LAB_FOLDER/systems/mongo/mongo" "$root/usr/lib/fleet-lab/mongo/mongo"
    ln -s /usr/lib/fleet-lab/mongo/mongo "$root/usr/bin/mongo"
    cp -a "$LAB_FOLDER/systems/database/." "$store/"
    fill_release "$store" "$version" canopsis
    sed -i "s/@EDITION@/$edition/; s/@STACK@/$stack/" "$store/canopsis/configuration.json"
    : >"$store/lock"
    chmod 777 "$store/canopsis" "$store/admin"
    chmod 644 "$store"/*/*.json "$store/lock"
    inside "$root" chown -R canopsis:canopsis /var/lib/canopsis-db
}

# What `canoctl deploy` once did on a real host: own settings in files the package shipped, units enabled.
deploy_canopsis() {
    local root=$1 version=$2 edition=$3 stack=$4 unit etc=$1/opt/canopsis/etc wants=$1/etc/systemd/system/multi-user.target.wants
    sed -i 's/^host=.*/host=localhost/' "$etc/common/mongo_store.conf" "$etc/amqp.conf"
    [ "$stack" = python ] || route_to_go "$root" "$version" "$edition"
    for unit in $(units_of "$edition" "$stack"); do
        ln -s "/lib/systemd/system/${unit%%@*}$([[ $unit != *@* ]] || printf '@.service')" "$wants/$unit"
    done
    # Until there was a file for them, an administrator told the Go engines where their services are.
    if [ "$stack" = go ] && ! from 3.31.0; then
        mkdir -p "$root/etc/systemd/system/canopsis-engine-go@.service.d"
        {
            printf '[Service]\n'
            printf 'Environment="CPS_%s_URL=%s"\n' MONGO mongodb://cpsmongo:canopsis@localhost:27017/canopsis \
                AMQP amqp://cpsrabbit:canopsis@localhost:5672/canopsis REDIS redis://localhost:6379/0 \
                INFLUX http://cpsinflux:canopsis@localhost:8086
        } >"$root/etc/systemd/system/canopsis-engine-go@.service.d/variables.conf"
    fi
    inside "$root" chown -R canopsis:canopsis /opt/canopsis
}

# The Python engines of a host with Go engines hand their events on as the sample for such hosts says, whether or not its release has
# that sample.
route_to_go() {
    local root=$1 version=$2 edition=$3 etc=$1/opt/canopsis/etc work=$1/root/routes
    mkdir "$work"
    cp "$LAB_FOLDER/packages/canopsis-core/tree/opt/canopsis/etc/amqp2engines-go-$edition.conf.example" "$work/"
    fill_release "$work" "$version" canopsis
    cat "$work"/* >"$etc/amqp2engines.conf"
    rm -r "$work"
}

# The unit that a deployment before 3.31.0 leaves enabled but stopped; the first restart or reboot starts it.
LAB_STOPPED_UNIT=canopsis-engine@eventstore-eventstore.service

# The units an edition and a stack have enabled in a release.
units_of() {
    local edition=$1 stack=$2 python="event_filter-event_filter dynamic-pbehavior scheduler-scheduler" cat="" go="" unit
    if from 3.31.0; then
        python+=" metric-metric task_importctx-task_importctx"
    fi
    case $stack in
    python)
        python+=" cleaner-cleaner_events dynamic-alerts dynamic-context-graph"
        if from 3.31.0; then python+=" dynamic-watcher"; else python+=" eventstore-eventstore"; fi
        ;;
    go)
        go="action axe che heartbeat"
        from 3.31.0 || go+=" stat"
        ! from 3.23.0 || go+=" watcher"
        ! from 3.39.0 || go+=" fifo"
        ;;
    esac
    if [ "$edition" = cat ]; then
        cat="snmp"
        ! from 3.31.0 || cat+=" task_ackcentreon-task_ackcentreon"
        if [ "$stack" = go ]; then
            ! from 3.34.0 || go+=" dynamic-infos webhook"
            ! from 3.45.0 || go+=" correlation"
        fi
    fi
    for unit in $python; do
        printf 'canopsis-engine@%s.service\n' "$unit"
    done
    for unit in $cat; do
        printf 'canopsis-engine-cat@%s.service\n' "$unit"
    done
    for unit in $go; do
        printf 'canopsis-engine-go@engine-%s.service\n' "$unit"
    done
    printf 'canopsis-webserver.service\n'
}

# All but nosudo may use sudo without a password; dashy, fishy and cshy are named after their shells.
make_users() {
    local root=$1
    inside "$root" useradd --create-home --shell /bin/bash ops
    inside "$root" useradd --create-home --shell /bin/dash dashy
    inside "$root" useradd --create-home --shell /usr/bin/fish fishy
    inside "$root" useradd --create-home --shell /bin/tcsh cshy
    inside "$root" useradd --create-home --shell /bin/bash nosudo
    printf '%s ALL=(ALL) NOPASSWD: ALL\n' ops dashy fishy cshy >"$root/etc/sudoers.d/lab"
    chmod 440 "$root/etc/sudoers.d/lab"
}
