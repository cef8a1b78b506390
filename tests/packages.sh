#!/usr/bin/env bash
# Installs what tests start as real servers, where it is missing and we may. Tests whose server is
# not there are skipped, and say why.
missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
command -v chromium >/dev/null || missing+=(chromium)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q && apt-get install -qy --no-install-recommends "${missing[@]}" && exit 0
fi
echo "Not installed: ${missing[*]}. Tests that need them are skipped; apt-get install ${missing[*]}"
