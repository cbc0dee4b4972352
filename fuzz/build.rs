fn main() {
    sdxl_build::link();
}
