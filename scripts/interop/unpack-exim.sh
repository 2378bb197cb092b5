#!/bin/sh
# Puts Exim into a folder: as a package Debian does not have it beside Postfix. Argument: the folder. As root.
set -e
mkdir -p "$1"
cd "$1"
rm -f ./*.deb
apt-get download -qq exim4-daemon-light
dpkg-deb --fsys-tarfile ./*.deb | tar -x --strip-components=3 --no-same-owner --no-same-permissions ./usr/sbin/exim4
# What it is linked with; without that part of Exim which would drive the other mailer out.
libraries=$(dpkg-deb -f ./*.deb Depends | tr ',' '\n' | sed -E 's/^ *([^ |(]+).*/\1/' | grep -Ev '^(exim4|debconf)')
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $libraries
getent passwd Debian-exim > /dev/null || useradd --system --user-group --no-create-home --shell /usr/sbin/nologin Debian-exim
