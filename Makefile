# Each target does all the set-up that it needs. Afterwards plain `cargo build`, `cargo test` and
# `cargo run --example ...` work too.

# Where `make install` puts the library for C and C++.
PREFIX = /usr/local

# The Unity project that `make unity` puts the package into.
PROJECT = unity-project

.PHONY: help demo test soak install unity setup tools

help:
	@echo "make demo    set everything up and draw a contact sheet of pictures into demo/"
	@echo "make test    set everything up and pass all checks and tests"
	@echo "make soak    the long forms of the tests of memory and misuse, and fuzzing for two hours"
	@echo "make install PREFIX=FOLDER"
	@echo "             build libsdxl.so for programs in C and C++, with headers and libtorch"
	@echo "make unity PROJECT=FOLDER"
	@echo "             build libsdxl.so for the Unity project in that folder, as a package with libtorch"
	@echo "make setup   set everything up: libtorch, in a cache outside this folder"

demo: setup
	@cargo run --quiet --example demo -- demo

test: tools = test
test: setup
	@scripts/mono
	cargo fmt --all --check
	cargo clippy --quiet --all-targets -- -D warnings
	@# The documentation builds without libtorch.
	LIBTORCH=/nowhere RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --features doc-only
	scripts/licences --check
	cargo test
	scripts/fuzz all 20

# The long forms of the tests that have one.
soak: setup
	SDXL_SOAK=1 cargo test --test memory --test ffi --test ffi_misuse --test isolation --test faults
	scripts/fuzz all 600

install: setup
	cargo build --release --lib --bin sdxl-worker
	@scripts/install target/release/libsdxl.so "$$(scripts/libtorch --path)/lib" "$(PREFIX)"
	@echo "installed in $(PREFIX); $(PREFIX)/bin/sdxl-doctor says whether it works"

unity: setup
	cargo build --release --lib --bin sdxl-worker
	@scripts/unity target/release/libsdxl.so "$$(scripts/libtorch --path)/lib" "$(PROJECT)/Packages/com.sdxl.unity"
	@echo "installed in $(PROJECT)/Packages/com.sdxl.unity"

setup: tools
	@scripts/libtorch

tools:
	@scripts/tools $(tools)
