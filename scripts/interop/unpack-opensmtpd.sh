#!/bin/sh
# Puts OpenSMTPD into a folder: Debian does not have it beside Postfix. Argument: the folder. As root. Its paths are built in: two users, and two folders of theirs.
set -e
mkdir -p "$1/opensmtpd.d"
cd "$1/opensmtpd.d"
rm -f ./*.deb
apt-get download -qq opensmtpd
dpkg-deb --fsys-tarfile ./*.deb | tar -x --no-same-owner ./usr/sbin/smtpd
libraries=$(dpkg-deb -f ./*.deb Depends | tr ',' '\n' | sed -E 's/^ *([^ |(]+).*/\1/' | grep '^lib\|^zlib')
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $libraries
for user in opensmtpd opensmtpq; do
  getent passwd $user > /dev/null || useradd --system --user-group --no-create-home --home-dir /var/lib/opensmtpd/empty --shell /usr/sbin/nologin $user
done
mkdir -p -m 711 /var/lib/opensmtpd/empty /var/spool/smtpd
ln -sf "$1/opensmtpd.d/usr/sbin/smtpd" "$1/opensmtpd"
