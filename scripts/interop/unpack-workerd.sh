#!/bin/sh
# Puts workerd, the runtime of Cloudflare's Workers, into a folder. Argument: the folder.
set -e
mkdir -p "$1/npm"
npm install --prefix "$1/npm" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error workerd@1.20261117.1
ln -sf "$1"/npm/node_modules/@cloudflare/workerd-*/bin/workerd "$1/workerd"
