# Each target does all the set-up that it needs. Afterwards plain `cargo build`, `cargo test` and
# `cargo run --example ...` work too.

# Until a trained model is here, the demonstration draws with a tiny random one.
DEMO = --model demo/model --width 256 --height 256 --steps 20 --batch 2 --output demo/picture.png

# Where `make install` puts the library for C and C++.
PREFIX = /usr/local

.PHONY: help demo test soak install setup tools

help:
	@echo "make demo    set everything up and draw pictures into demo/"
	@echo "make test    set everything up and pass all checks and tests"
	@echo "make soak    the long forms of the tests of memory and misuse"
	@echo "make install PREFIX=FOLDER"
	@echo "             build libsdxl.so for programs in C and C++, with headers and libtorch"
	@echo "make setup   set everything up: libtorch, in a cache outside this folder"

demo: setup
	@mkdir -p demo
	@cargo run --quiet --example random_model -- tests/models/base demo/model
	@cargo run --quiet --example txt2img -- --prompt "a red apple on a table" $(DEMO)
	@echo "demo/picture-0.png demo/picture-1.png"
	@echo "The model is tiny and untrained (random weights): the pictures are coloured noise, not apples."

test: tools = test
test: setup
	cargo fmt --all --check
	cargo clippy --quiet --all-targets -- -D warnings
	@# The documentation builds without libtorch.
	LIBTORCH=/nowhere RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --features doc-only
	cargo test

# The long forms of the tests that have one.
soak: setup
	SDXL_SOAK=1 cargo test --test ffi --test ffi_misuse

install: setup
	cargo build --release --lib --bin sdxl-worker
	@scripts/install target/release/libsdxl.so "$$(scripts/libtorch --path)/lib" "$(PREFIX)"
	@echo "installed in $(PREFIX); $(PREFIX)/bin/sdxl-doctor says whether it works"

setup: tools
	@scripts/libtorch

tools:
	@scripts/tools $(tools)
