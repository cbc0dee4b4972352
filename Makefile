# Each target does all the set-up that it needs. Afterwards plain `cargo build`, `cargo test` and
# `cargo run --example ...` work too.

# The pictures that `make demo` draws: the arguments of examples/txt2img.rs.
DEMO = --prompt "a red apple on a table" --output demo/apple.png

.PHONY: help demo test setup tools

help:
	@echo "make demo    set everything up and draw pictures into demo/"
	@echo "make test    set everything up and pass all checks and tests"
	@echo "make setup   set everything up: libtorch, in a cache outside this folder"

demo: setup
	@mkdir -p demo
	@cargo run --quiet --example txt2img -- $(DEMO)

test: tools = test
test: setup
	cargo fmt --all --check
	cargo clippy --quiet --all-targets -- -D warnings
	@# The documentation builds without libtorch.
	LIBTORCH=/nowhere RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --features doc-only
	cargo test

setup: tools
	@scripts/libtorch

tools:
	@scripts/tools $(tools)
