#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes ./configure out of configure.ac.  Needs autoconf, automake, libtool.
set -e
cd "$(dirname "$0")"
exec autoreconf -i "$@"
