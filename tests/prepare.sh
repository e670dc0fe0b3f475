#!/usr/bin/env bash
# Installs what the tests talk to where it is missing: Chromium, Node.js, PostgreSQL, npm clients.
set -eu
cd "$(dirname "$0")"

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v npm >/dev/null || missing+=(nodejs npm)
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
if [ ${#missing[@]} -gt 0 ]; then
    echo "Installing for the tests: ${missing[*]}"
    become=""
    [ "$(id -u)" = 0 ] || become=sudo
    $become apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $become apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if [ -f clients/package-lock.json ] && [ ! clients/node_modules/.installed -nt clients/package-lock.json ]; then
    (cd clients && npm ci --silent --no-audit --no-fund && touch node_modules/.installed)
fi
