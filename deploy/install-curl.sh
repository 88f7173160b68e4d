#!/bin/sh
# Installs curl if this machine has none: the README and the pages under docs are tried with it.
#
# Exit status: 0 curl is there, 1 it is not and cannot be installed.
set -eu

give_up() {
    echo "install-curl: $1" >&2
    exit 1
}

if command -v curl >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    give_up "curl is not installed. Install your system's package curl."
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq || give_up "apt-get update failed."
apt-get install -qq -y --no-install-recommends curl >/dev/null ||
    give_up "apt-get install curl failed."
