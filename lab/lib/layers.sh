# shellcheck shell=bash
# What all hosts of a kind share above the base tree: Canopsis 3.25.0 installed and deployed, the repositories
# known, the users made. A host then adds only its identity.

LAB_FIRST_CANOPSIS=3.25.0
LAB_FIRST_TOOL=1.0

# Prints the lower folders of a kind of host (deb, rpm), highest first, as overlayfs wants them.
lower_folders() {
    local kind=$1 pool base layer
    pool=$(package_pool)
    base=$(base_tree)
    [ "$kind" = deb ] || base=$(rpm_tools_tree):$base
    layer=$(tree "$kind-layer" "$(layer_digest "$pool" "$base")" "make_${kind}_layer")
    printf '%s:%s\n' "$layer" "$base"
}

# A layer is tied to the very packages, key and base it was made from, not only to the scripts that made them.
layer_digest() {
    { digest_of_files lib/layers.sh lib/systems.sh systems && sha256sum <"$1/lab.asc" && cat "${2##*:}/usr/lib/fleet-lab/stamp" &&
        printf '%s\n' "$LAB_RANGE"; } | digest
}

make_deb_layer() {
    make_layer "$1" "$(base_tree)" install_on_deb
}

make_rpm_layer() {
    make_layer "$1" "$(rpm_tools_tree):$(base_tree)" install_on_rpm
}

make_layer() {
    local folder=$1 lower=$2 function=$3 layer=$1.layer
    forget_tree "$layer"
    on_layer "$layer" "$lower" "$function" "$(package_pool)"
    rm -rf "$folder"
    mv "$layer/upper" "$folder"
    rm -rf "$layer"
}

install_on_deb() {
    local root=$1 pool=$2
    install_logged "$root" "$pool/deb" dpkg -i \
        "canopsis-core_$LAB_FIRST_CANOPSIS-1_amd64.deb" "lab-tool_$LAB_FIRST_TOOL-1_amd64.deb"
    install -D -m 644 "$pool/lab.gpg" "$root/usr/share/keyrings/fleet-lab.gpg"
    apt_source canopsis >"$root/etc/apt/sources.list.d/canopsis.list"
    apt_source system >"$root/etc/apt/sources.list.d/system.list"
    finish_layer "$root"
}

apt_source() {
    printf 'deb [signed-by=/usr/share/keyrings/fleet-lab.gpg] http://%s.1/%s stable main\n' "$LAB_RANGE" "$1"
}

install_on_rpm() {
    local root=$1 pool=$2
    dress_as_centos7 "$root"
    install -D -m 644 "$pool/lab.asc" "$root/etc/pki/rpm-gpg/RPM-GPG-KEY-fleet-lab"
    inside "$root" rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-fleet-lab
    install_logged "$root" "$pool/rpm" rpm -i "centos-release-7-9.2009.el7.x86_64.rpm" \
        "canopsis-core-$LAB_FIRST_CANOPSIS-1.el7.x86_64.rpm" "lab-tool-$LAB_FIRST_TOOL-1.el7.x86_64.rpm"
    mkdir -p "$root/etc/yum.repos.d"
    yum_repository canopsis canopsis >"$root/etc/yum.repos.d/canopsis.repo"
    yum_repository base system >"$root/etc/yum.repos.d/CentOS-Base.repo"
    finish_layer "$root"
}

# A repository that does not answer is an error, as for yum 3; Debian's dnf would go on without it and end with 0.
yum_repository() {
    printf '[%s]\nname=%s\nbaseurl=http://%s.1/%s/rpm/\nenabled=1\ngpgcheck=1\n' "$1" "$1" "$LAB_RANGE" "$2"
    printf 'gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fleet-lab\nmetadata_expire=21600\nskip_if_unavailable=0\n'
}

# Runs a package manager inside the tree with package files brought in from a folder.
install_logged() {
    local root=$1 from=$2 log
    shift 2
    log=$(mktemp)
    mkdir "$root/root/packages"
    mount --bind "$from" "$root/root/packages"
    if ! inside "$root" sh -c 'cd /root/packages && "$@"' sh "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        die "could not install the stand-in packages"
    fi
    umount "$root/root/packages"
    rmdir "$root/root/packages"
    rm -f "$log"
}

finish_layer() {
    local root=$1
    deploy_canopsis "$root"
    make_users "$root"
    rm -f "$root"/var/log/fleet-lab/*
    mkdir -p "$root/etc/fleet-test" "$root/var/log/fleet-lab"
}

# What `canoctl deploy` once did on a real host: own settings in files the package shipped, units enabled, database filled.
deploy_canopsis() {
    local root=$1
    sed -i 's/^host=.*/host=localhost/' "$root/opt/canopsis/etc/common/mongo_store.conf" "$root/opt/canopsis/etc/amqp.conf"
    mkdir -p "$root/var/lib/canopsis-db/canopsis"
    printf '[{"_id": "initialized"}]\n' >"$root/var/lib/canopsis-db/canopsis/initialized.json"
    printf '[{"_id": "alarm-1"}, {"_id": "alarm-2"}]\n' >"$root/var/lib/canopsis-db/canopsis/events.json"
    set_edition "$root" core python
    inside "$root" chown -R canopsis:canopsis /var/lib/canopsis-db /opt/canopsis
}

# Declares edition and stack in the database and enables the units that go with them: set_edition ROOT EDITION STACK.
set_edition() {
    local root=$1 edition=$2 stack=$3 unit wants=$1/etc/systemd/system/multi-user.target.wants
    printf '[{"_id": "canopsis_version", "version": "%s", "edition": "%s", "stack": "%s"}]\n' \
        "$LAB_FIRST_CANOPSIS" "$edition" "$stack" >"$root/var/lib/canopsis-db/canopsis/configuration.json"
    # What the vendor's own tools tell the commercial edition by.
    if [ "$edition" = cat ]; then mkdir -p "$root/opt/canopsis/lib/python2.7/site-packages/canopsis_cat"; fi
    rm -f "$wants"/canopsis-*
    for unit in $(units_of_stack "$stack"); do
        ln -s "/lib/systemd/system/${unit%%@*}$([[ $unit != *@* ]] || printf '@.service')" "$wants/$unit"
    done
}

# The unit that a deployment leaves enabled but stopped; the first restart or reboot starts it.
LAB_STOPPED_UNIT=canopsis-engine@eventstore-eventstore.service

units_of_stack() {
    local unit
    for unit in event_filter-event_filter dynamic-pbehavior scheduler-scheduler; do
        printf 'canopsis-engine@%s.service\n' "$unit"
    done
    case $1 in
    python)
        for unit in cleaner-cleaner_events dynamic-alerts dynamic-context-graph eventstore-eventstore; do
            printf 'canopsis-engine@%s.service\n' "$unit"
        done
        ;;
    go)
        for unit in action axe che heartbeat stat watcher; do
            printf 'canopsis-engine-go@engine-%s.service\n' "$unit"
        done
        ;;
    esac
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
