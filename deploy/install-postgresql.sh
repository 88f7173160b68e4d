#!/bin/sh
# Installs the PostgreSQL server binaries if this machine has none. The product runs them on
# clusters of its own, so the distribution is told not to make and start one.
#
# Exit status: 0 the binaries are there, 1 they are not and cannot be installed.
set -eu

oldest=15

# The same places, in the same order, as FindPostgres in deploy/embedded/binaries.go.
candidates() {
    if found=$(command -v postgres 2>/dev/null); then
        dirname "$(readlink -f "$found")"
    fi
    if command -v pg_config >/dev/null 2>&1; then
        pg_config --bindir 2>/dev/null || true
    fi
    for directory in /usr/lib/postgresql/*/bin /usr/lib/postgresql*/bin \
        /usr/libexec/postgresql* /usr/pgsql-*/bin /usr/local/pgsql/bin \
        /opt/homebrew/opt/postgresql@*/bin; do
        echo "$directory"
    done
}

# Succeeds if one of the candidates holds a server that is new enough.
installed() {
    candidates | {
        while IFS= read -r directory; do
            if [ ! -x "$directory/initdb" ] || [ ! -x "$directory/postgres" ]; then
                continue
            fi
            version=$("$directory/postgres" --version 2>/dev/null |
                sed -n 's/.*(PostgreSQL) \([0-9][0-9]*\).*/\1/p')
            if [ "${version:-0}" -ge "$oldest" ]; then
                exit 0
            fi
        done
        exit 1
    }
}

give_up() {
    echo "install-postgresql: $1" >&2
    exit 1
}

if installed; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    give_up "no PostgreSQL $oldest or newer is installed. Run this script as root \
(sudo sh deploy/install-postgresql.sh), or install the package postgresql of your system."
fi
if ! command -v apt-get >/dev/null 2>&1; then
    give_up "no PostgreSQL $oldest or newer is installed, and this system has no apt-get: \
install its PostgreSQL server package."
fi

configuration=/etc/postgresql-common/createcluster.conf
if [ ! -e "$configuration" ]; then
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" >"$configuration"
elif ! grep -Eq '^[[:space:]]*create_main_cluster[[:space:]]*=' "$configuration"; then
    echo "create_main_cluster = false" >>"$configuration"
fi

echo "install-postgresql: installing PostgreSQL with apt-get" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || give_up "apt-get update failed."
# The file above is ours: keep it rather than ask.
apt-get install -qq -y --no-install-recommends -o Dpkg::Options::=--force-confold \
    postgresql >/dev/null || give_up "apt-get install postgresql failed."
installed || give_up "the package postgresql of this system is older than version $oldest: \
take a newer one from https://apt.postgresql.org."
