#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Copyright (c) The HUD developers

# Opens a page of HUDEvaluate in Chromium, without a network, 1280 and 390 pixels wide. Fails if the page is not drawn
# completely, writes to the console, asks for anything from elsewhere, or is wider than the window.
#   check-report.sh PAGE.html [FOLDER]
# leaves pictures of the whole page in FOLDER: PAGE-1280.png, PAGE-390.png.
set -euo pipefail

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ ! -f "$1" ]; then
  echo "usage: check-report.sh PAGE.html [FOLDER]" >&2
  exit 2
fi
page=$1
folder=${2:-}
name=$(basename "${page%.html}")

browser=
for program in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$program" >/dev/null; then
    browser=$program
    break
  fi
done
if [ -z "$browser" ]; then
  echo "report: Chromium was not found (Debian: chromium)" >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$page" "$work/page.html"
: >"$work/empty.js"

# A window is at least 500 pixels wide, a frame as wide as asked for. This page says what became of the one in its frame.
cat >"$work/frame.html" <<'HTML'
<!DOCTYPE html>
<html>
<body style="margin:0">
<iframe id="frame" style="border:0; display:block; height:900px"></iframe>
<script>
const frame = document.getElementById("frame");
const [width, height] = location.hash.slice(1).split("x");
frame.style.width = width + "px";
frame.style.height = (height || 900) + "px";
frame.src = "page.html";
const say = (name, text) => document.documentElement.setAttribute("data-" + name, text);

// Elements that stick out of the page or hold more than fits into them, except where that is clipped or scrolls.
function tooWide(view, root) {
  const visible = (element) => view.getComputedStyle(element).overflowX === "visible";
  const clipped = (element) => element.parentElement && (!visible(element.parentElement) || clipped(element.parentElement));
  return [...root.querySelectorAll("body, body *")].filter((element) => !clipped(element) &&
    (element.getBoundingClientRect().right > root.clientWidth + 1 ||
      (visible(element) && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)));
}

// Chromium's virtual time runs ahead of its work, but waits for files.
const loaded = (name) => new Promise((resolve) => {
  const script = document.createElement("script");
  script.onload = () => { script.remove(); resolve(); };
  script.src = name;
  document.body.append(script);
});

(async () => {
  for (let attempt = 0; ; ++attempt) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await loaded("empty.js?" + attempt);
    const root = frame.contentDocument && frame.contentDocument.documentElement;
    if (root && root.dataset.ready === "yes") {
      const wide = tooWide(frame.contentWindow, root);
      say("overflow", root.dataset.overflow === "no" && root.scrollWidth <= root.clientWidth && !wide.length ? "no" :
        wide.slice(-3).map((element) => (element.tagName + " " + element.className).trim().toLowerCase()).join(", ") +
        " (page: " + root.scrollWidth + " pixels)");
      say("height", root.scrollHeight);
      say("ready", "yes");
      return;
    }
  }
})();
</script>
</body>
</html>
HTML

# chromium ARGUMENTS...: with a new profile, as any user, without a network and without what it asks for by itself.
chromium()
{
  local sandbox=()
  [ "$(id -u)" -ne 0 ] || sandbox=(--no-sandbox)
  rm -rf "$work/profile" "$work/net.json"
  timeout 300 "$browser" --headless=new "${sandbox[@]}" --user-data-dir="$work/profile" --disable-gpu \
    --disable-dev-shm-usage --hide-scrollbars --no-first-run --disable-background-networking --disable-component-update \
    --disable-default-apps --disable-sync --disable-extensions --proxy-server=127.0.0.1:9 \
    --host-resolver-rules='MAP * ~NOTFOUND' --allow-file-access-from-files --virtual-time-budget=300000 "$@"
}

failed=0
fail()
{
  echo "report: $page at $width pixels: $1" >&2
  failed=1
}

for width in 1280 390; do
  if ! chromium --enable-logging=stderr --v=0 --log-net-log="$work/net.json" --window-size="$width,900" \
    --dump-dom "file://$work/frame.html#$width" >"$work/dom" 2>"$work/log"; then
    tail -n 20 "$work/log" >&2
    fail "Chromium failed"
    continue
  fi

  console=$(grep -a 'CONSOLE' "$work/log" || true)
  [ -z "$console" ] || fail $'messages on the console:\n'"$console"

  # What a page asks for has an initiator, even if nothing can answer; what Chromium asks for by itself has none.
  [ -s "$work/net.json" ] || fail "Chromium left no log of its requests"
  requests=$(grep -aE '"initiator":.*"url":"(https?|wss?|ftp):' "$work/net.json" | grep -av '"initiator":"not an origin"' |
    grep -aoE '"url":"[^"]*"' | sort -u || true)
  [ -z "$requests" ] || fail $'requests:\n'"$requests"

  said=$(grep -a -m 1 '^<html' "$work/dom" || true)
  if [[ $said != *'data-ready="yes"'* ]]; then
    fail "not drawn completely"
    continue
  fi
  [[ $said =~ data-overflow=\"([^\"]*)\" && ${BASH_REMATCH[1]} = no ]] || fail "something is too wide: ${BASH_REMATCH[1]:-}"

  if [ -n "$folder" ]; then
    mkdir -p "$folder"
    [[ $said =~ data-height=\"([0-9]+)\" ]]
    height=${BASH_REMATCH[1]}
    chromium --window-size="$width,$height" --screenshot="$work/page.png" "file://$work/frame.html#${width}x$height" \
      >/dev/null 2>&1 || fail "Chromium made no picture"
    [ ! -s "$work/page.png" ] || mv "$work/page.png" "$folder/$name-$width.png"
  fi
done

[ "$failed" -eq 0 ] || exit 1
echo "report: $page is complete and loads nothing"
