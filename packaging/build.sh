#!/usr/bin/env bash
# Builds what is shipped for a target into dist/: archive, wheel, packages for npm and Debian, the container's root file
# system, a bill of materials, and checksums. Needs no network but for crates.
#
#   packaging/build.sh [TARGET [PROFILE]]
#
# TARGET is the machine's own if it is not given. PROFILE is `dist`, or `try` for trying the packages without waiting.
# Needs cargo-deb, cargo-cyclonedx, npm, and of PyPI maturin and wheel.
set -euo pipefail
cd "$(dirname "$0")/.."
host=$(rustc -vV | sed -n 's/^host: //p')
target=${1:-$host}
profile=${2:-dist}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
dist=$PWD/dist targets=${CARGO_TARGET_DIR:-target}
mkdir -p "$dist"

# What is shipped for Linux runs on any: it needs no C library.
if [ "$profile" = try ]; then
    built=$targets/try select=(--profile try)
else
    built=$targets/$target/$profile select=(--profile "$profile" --target "$target")
    [[ $target != *-linux-gnu ]] || export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }-C target-feature=+crt-static"
fi
suffix=
[[ $target != *-windows-* ]] || suffix=.exe
cargo build --locked --package tenantry --bin tenantry "${select[@]}"

# The program without its debug information, which has a file of its own.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=tenantry-$version-$target
program=$work/tenantry$suffix
cp "$built/tenantry$suffix" "$program"
case $target in
*-linux-*)
    objcopy --only-keep-debug --compress-debug-sections "$program" "$dist/$name.debug"
    strip "$program"
    (cd "$dist" && objcopy --add-gnu-debuglink="$name.debug" "$program")
    ;;
*-apple-*) strip "$program" ;;
*-windows-*) [ ! -f "$built/tenantry.pdb" ] || cp "$built/tenantry.pdb" "$dist/$name.pdb" ;;
esac

# packed ARCHIVE FOLDER...: the same bytes for the same files.
packed() {
    tar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner -c "${@:2}" | gzip -n9 >"$1"
}

# The archive, with the manual and completions for shells.
folder=$work/$name
mkdir -p "$folder/completions"
cp "$program" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$folder"
"$program" man >"$folder/tenantry.1"
for shell in bash elvish fish powershell zsh; do
    "$program" completions "$shell" >"$folder/completions/tenantry.$shell"
done
if tar --version | grep -q GNU; then
    order=(--sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner)
fi
tar "${order[@]}" -cf - -C "$work" "$name" | gzip -n9 >"$dist/$name.tar.gz"

# The wheel. maturin takes the program as cargo built it; the one without debug information takes its place.
(cd packaging/python && maturin build --quiet --out "$work/built" "${select[@]}")
wheel unpack --dest "$work/unpacked" "$work"/built/*.whl
cp "$program" "$work"/unpacked/*/*.data/scripts/
chmod 755 "$work"/unpacked/*/*.data/scripts/*
wheel pack --dest-dir "$work" "$work"/unpacked/*
# A static program runs with any C library.
if [[ $target == *-linux-* && $profile != try ]]; then
    tags=manylinux_2_17_${target%%-*}.manylinux2014_${target%%-*}.musllinux_1_1_${target%%-*}
    wheel tags --remove --platform-tag "$tags" "$work"/*.whl
fi
mv "$work"/*.whl "$dist"

node packaging/npm/pack.js "$version" "$target" "$program" "$dist"

if [[ $target == *-linux-* ]]; then
    # The container's files. A program that is not static brings its libraries.
    rootfs=$dist/container/rootfs
    rm -rf "$dist/container"
    mkdir -p "$rootfs/usr/bin" "$rootfs/usr/share/doc/tenantry" "$rootfs/work"
    cp packaging/container/Dockerfile "$dist/container"
    cp "$program" "$rootfs/usr/bin"
    cp LICENSE-APACHE LICENSE-MIT "$rootfs/usr/share/doc/tenantry"
    for library in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true); do
        install -D "$library" "$rootfs$library"
    done
    # Cargo.toml says which of these files goes where.
    rm -rf target/package-files
    mkdir -p target
    cp -r "$folder" target/package-files
    cargo deb --quiet --no-build --no-strip --target "$target" --output "$dist"
fi

if [ "$target" = "$host" ]; then
    cargo cyclonedx --quiet --format json --spec-version 1.5 --override-filename "tenantry-$version.cdx"
    # Where the sources lie on the machine is nobody's business.
    sed "s|path+file://$PWD#||g" "tenantry-$version.cdx.json" >"$dist/tenantry-$version.cdx.json"
    # It makes one for each package of the workspace.
    find . -name "tenantry-$version.cdx.json" -not -path './target/*' -not -path './dist/*' -delete
fi
(cd "$dist" && find . -maxdepth 1 -type f ! -name SHA256SUMS -printf '%f\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
ls -l "$dist"
