#!/bin/sh
# Has Exim deliver a message from a queue of its own: folder of its configuration, port, sender, file, recipients. Exit code: 0, all have it.
folder=$1 port=$2 from=$3 message=$4
shift 4
queue=$(mktemp -d "$folder/queue-XXXXXX")
chmod 777 "$queue"
"$folder/exim4" -C "$folder/exim.conf" "-DPORT=$port" "-DQUEUE=$queue" -odf -oi -f "$from" -- "$@" < "$message" || exit 1
grep -q ' Completed$' "$queue/mainlog" && ! grep -q ' \*\* ' "$queue/mainlog"
