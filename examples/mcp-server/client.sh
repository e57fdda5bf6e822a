#!/usr/bin/env bash
# Runs client.mjs against an MCP server: bash client.sh http://127.0.0.1:3000/mcp
# The example installs what it needs when it starts; otherwise `bash tests/run --install-node` does.
set -euo pipefail
client=$(cat "$(dirname "$0")/client.mjs")
cd "$(dirname "$0")/../../target/test-tools/node" # The SDK is looked for from the working directory.
MCP_SERVER=${1:?the URL of an MCP server} exec ../bin/node --input-type=module --eval "$client"
