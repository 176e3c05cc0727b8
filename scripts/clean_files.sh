#!/bin/sh
# Tracked files name no path of one machine, no host of a package registry, and lock files no download address.
set -eu
cd "$(dirname "$0")/.."
bad=0
look() {
    what=$1
    shift
    if git grep -nIE "$@" | cut -c1-160 | head -20 | grep .; then
        echo "  ^ tracked files must not contain $what" >&2
        bad=1
    fi
}
# The patterns are written so that they do not match themselves.
look "a path of one machine" '(^|[^A-Za-z0-9._/-])/(home|Users|root|work|farm)/[a-z]|/tmp/[a-z]+_jobs' -- . ':!*.svg'
look "the host of a package registry" '(npmjs|npmmirror|pypi|pythonhosted|yarnpkg)[.](org|com|io)' -- . ':!*.svg'
look "download addresses in lock files" '"resolved": *"https?:' -- '*package-lock.json'
look "requirements with an index address" '^(--index-url|--extra-index-url|--find-links|-i) ' -- 'requirements/*'
exit $bad
