// sdxl for C++17: the objects of sdxl.h as classes that free what they hold. Header only; no exceptions or RTTI needed.
//
//   #include <sdxl.hpp>
//
//   int main() {
//     auto pipeline = sdxl::Pipeline::load("stable-diffusion-xl-base-1.0").or_throw();
//     auto request = sdxl::Request::make("a lighthouse in a storm, oil painting").or_throw();
//     request.set_size(1216, 832).or_throw();
//     pipeline.generate(request).or_throw()[0].save_png("lighthouse.png").or_throw();
//   }
//
// Everything that can fail returns a Result. Where exceptions exist, or_throw() makes one of a failure; without them:
//
//   sdxl::Result<sdxl::Pipeline> pipeline = sdxl::Pipeline::load(path);
//   if (!pipeline) return report(pipeline.error().message);
//   pipeline->generate(request);
//
// Objects move and do not copy. Each method is one function of sdxl.h, whose documentation holds: parameters with ranges
// and defaults, thread safety, versions. A method may be called from any thread; an object is moved and destroyed by one
// thread at a time.
#ifndef SDXL_HPP
#define SDXL_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sdxl.h"

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define SDXL_EXCEPTIONS 1
#include <stdexcept>
#endif

namespace sdxl {

/// Why a call failed.
struct Error {
  sdxl_status status;
  std::string message;
};

#ifdef SDXL_EXCEPTIONS
/// What or_throw() throws.
class Exception : public std::runtime_error {
 public:
  explicit Exception(const Error &error) : std::runtime_error(error.message), status_(error.status) {}
  sdxl_status status() const noexcept { return status_; }

 private:
  sdxl_status status_;
};
#endif

/// A value, or the reason why there is none. Looking at the one that is not there ends the program.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const noexcept { return content_.index() == 0; }
  T &operator*() & { return *there(std::get_if<0>(&content_)); }
  T &&operator*() && { return std::move(*there(std::get_if<0>(&content_))); }
  T *operator->() { return there(std::get_if<0>(&content_)); }
  const Error &error() const { return *there(std::get_if<1>(&content_)); }

#ifdef SDXL_EXCEPTIONS
  /// The value; a failure is thrown as an Exception.
  T or_throw() && {
    if (!*this) throw Exception(error());
    return std::move(**this);
  }
#endif

 private:
  template <typename P>
  static P *there(P *pointer) {
    if (pointer == nullptr) std::abort();
    return pointer;
  }

  std::variant<T, Error> content_;
};

/// The result of what gives no value.
using Status = Result<std::monostate>;

namespace detail {

inline Error last_error(sdxl_status status) { return Error{status, sdxl_last_error_message()}; }

inline Status status(sdxl_status status) {
  if (status != SDXL_STATUS_OK) return last_error(status);
  return std::monostate{};
}

/// A handle that is freed once.
template <typename Handle, sdxl_status (*Free)(Handle)>
class Object {
 public:
  Object() noexcept = default;
  explicit Object(Handle handle) noexcept : handle_(handle) {}
  Object(Object &&other) noexcept : handle_(std::exchange(other.handle_, Handle{})) {}
  Object &operator=(Object &&other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, Handle{});
    }
    return *this;
  }
  Object(const Object &) = delete;
  Object &operator=(const Object &) = delete;
  ~Object() { reset(); }

  /// The handle for functions of sdxl.h; it stays this object's.
  Handle handle() const noexcept { return handle_; }
  /// Whether there is an object: not after a move.
  explicit operator bool() const noexcept { return handle_.id != 0; }
  /// Gives the handle away: the caller frees it.
  Handle release() noexcept { return std::exchange(handle_, Handle{}); }

 protected:
  void reset() noexcept {
    if (handle_.id != 0) Free(std::exchange(handle_, Handle{}));
  }

 private:
  Handle handle_{};
};

/// An object of the handle that a call makes.
template <typename T, typename Call>
Result<T> make(Call call) {
  decltype(std::declval<T &>().handle()) handle{};
  sdxl_status status = call(&handle);
  if (status != SDXL_STATUS_OK) return last_error(status);
  return T(handle);
}

/// Asks for the size of something, and then for the thing.
template <typename Container, typename Call>
Result<Container> copy(Call call) {
  std::size_t size = 0;
  sdxl_status status = call(nullptr, std::size_t{0}, &size);
  if (status != SDXL_STATUS_OK) return last_error(status);
  Container content(size, typename Container::value_type{});
  status = call(content.data(), size, nullptr);
  if (status != SDXL_STATUS_OK) return last_error(status);
  return content;
}

template <typename Call>
Result<std::string> copy_text(Call call) {
  Result<std::string> text = copy<std::string>(call);
  if (text && !text->empty()) text->pop_back();
  return text;
}

/// A text of one item in a line, as a list.
template <typename Call>
Result<std::vector<std::string>> copy_lines(Call call) {
  Result<std::string> text = copy_text(call);
  if (!text) return text.error();
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text->size();) {
    std::size_t end = text->find('\n', start);
    if (end == std::string::npos) end = text->size();
    lines.push_back(text->substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

/// A list of texts as C takes it.
inline std::vector<const char *> pointers(const std::vector<std::string> &texts) {
  std::vector<const char *> all;
  for (const std::string &text : texts) all.push_back(text.c_str());
  return all;
}

/// The handles of several objects, which stay where they are: of a vector of them, or of {one, another}.
template <typename T>
class Handles {
 public:
  using Handle = decltype(std::declval<const T &>().handle());

  Handles() = default;
  Handles(const std::vector<T> &objects) {
    for (const T &object : objects) handles_.push_back(object.handle());
  }
  Handles(std::initializer_list<std::reference_wrapper<const T>> objects) {
    for (const T &object : objects) handles_.push_back(object.handle());
  }

  const Handle *data() const noexcept { return handles_.data(); }
  std::size_t size() const noexcept { return handles_.size(); }

 private:
  std::vector<Handle> handles_;
};

}  // namespace detail

/// How pixels lie in memory; by default RGB8 from top to bottom without gaps.
struct PixelLayout {
  sdxl_pixel_format format = SDXL_PIXEL_FORMAT_RGB8;
  sdxl_row_order row_order = SDXL_ROW_ORDER_TOP_DOWN;
  std::uint64_t stride = 0;

  sdxl_pixel_layout c() const noexcept {
    return {static_cast<std::uint32_t>(sizeof(sdxl_pixel_layout)), format, row_order, 0, stride};
  }
};

/// A picture. It never changes.
class Image : public detail::Object<sdxl_image, sdxl_image_free> {
 public:
  using Object::Object;

  static Result<Image> make(std::uint32_t width, std::uint32_t height, const void *pixels, std::size_t size,
                            PixelLayout layout = {}) {
    const sdxl_pixel_layout c = layout.c();
    auto bytes = static_cast<const std::uint8_t *>(pixels);
    return detail::make<Image>(
        [&](sdxl_image *out) { return sdxl_image_new(width, height, &c, bytes, size, out); });
  }
  static Result<Image> open(const std::string &path) {
    return detail::make<Image>([&](sdxl_image *out) { return sdxl_image_open(path.c_str(), out); });
  }

  /// Width and height of a file, from its header.
  static Result<std::pair<std::uint32_t, std::uint32_t>> file_size(const std::string &path) {
    std::uint32_t width = 0, height = 0;
    sdxl_status status = sdxl_image_file_size(path.c_str(), &width, &height);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return std::make_pair(width, height);
  }

  std::uint32_t width() const { return size().first; }
  std::uint32_t height() const { return size().second; }
  Status copy_pixels(void *pixels, std::size_t size, PixelLayout layout = {}) const {
    const sdxl_pixel_layout c = layout.c();
    return detail::status(sdxl_image_copy_pixels(handle(), &c, static_cast<std::uint8_t *>(pixels), size));
  }
  /// The text under a keyword: "parameters", "sdxl", "XML:com.adobe.xmp"; "" where there is none.
  Result<std::string> text(const std::string &keyword) const {
    return detail::copy_text([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_image_copy_text(handle(), keyword.c_str(), buffer, capacity, size);
    });
  }
  Status save_png(const std::string &path) const {
    return detail::status(sdxl_image_save_png(handle(), path.c_str()));
  }
  Result<std::vector<std::uint8_t>> encode_png() const {
    return detail::copy<std::vector<std::uint8_t>>(
        [&](std::uint8_t *buffer, std::size_t capacity, std::size_t *size) {
          return sdxl_image_encode_png(handle(), buffer, capacity, size);
        });
  }

  Result<Image> resize(std::uint32_t width, std::uint32_t height) const {
    return detail::make<Image>([&](sdxl_image *out) { return sdxl_image_resize(handle(), width, height, out); });
  }
  Result<Image> crop(std::uint32_t left, std::uint32_t top, std::uint32_t right, std::uint32_t bottom) const {
    return detail::make<Image>(
        [&](sdxl_image *out) { return sdxl_image_crop(handle(), left, top, right, bottom, out); });
  }
  /// This mask with soft edges.
  Result<Image> blur_mask(double deviation) const {
    return detail::make<Image>([&](sdxl_image *out) { return sdxl_image_blur_mask(handle(), deviation, out); });
  }
  /// Left, top, right and bottom of what is redrawn around this mask.
  Status mask_region(std::uint32_t width, std::uint32_t height, std::uint32_t padding,
                     std::uint32_t (&out)[4]) const {
    return detail::status(sdxl_image_mask_region(handle(), width, height, padding, out));
  }
  /// The canvas, and the mask of what is new.
  Result<std::pair<Image, Image>> outpaint(std::uint32_t left, std::uint32_t top, std::uint32_t right,
                                           std::uint32_t bottom) const {
    sdxl_image canvas{}, mask{};
    sdxl_status status = sdxl_image_outpaint(handle(), left, top, right, bottom, &canvas, &mask);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return std::make_pair(Image(canvas), Image(mask));
  }
  Result<Image> add_text(const std::string &keyword, const std::string &content) const {
    return detail::make<Image>(
        [&](sdxl_image *out) { return sdxl_image_add_text(handle(), keyword.c_str(), content.c_str(), out); });
  }
  Result<std::vector<std::string>> keywords() const {
    return detail::copy_lines([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_image_copy_keywords(handle(), buffer, capacity, size);
    });
  }

 private:
  /// 0 x 0 without a picture.
  std::pair<std::uint32_t, std::uint32_t> size() const {
    std::uint32_t width = 0, height = 0;
    sdxl_image_size(handle(), &width, &height);
    return {width, height};
  }
};

namespace detail {

inline std::vector<Image> own(const std::vector<sdxl_image> &handles, std::size_t count) {
  std::vector<Image> images;
  images.reserve(count);
  for (std::size_t i = 0; i < count; i++) images.emplace_back(handles[i]);
  return images;
}

}  // namespace detail

/// Pictures as the UNet sees them. They never change.
class Latents : public detail::Object<sdxl_latents, sdxl_latents_free> {
 public:
  using Object::Object;

  /// Of shape: pictures, channels, height, width.
  static Result<Latents> make(const std::vector<float> &values, const std::uint32_t (&shape)[4]) {
    return detail::make<Latents>(
        [&](sdxl_latents *out) { return sdxl_latents_new(values.data(), values.size(), shape, out); });
  }
  /// The noise that seeds give.
  static Result<Latents> noise(const std::vector<std::uint64_t> &seeds, std::uint32_t channels, std::uint32_t height,
                               std::uint32_t width, std::uint32_t skip_draws = 0) {
    return detail::make<Latents>([&](sdxl_latents *out) {
      return sdxl_latents_new_noise(seeds.data(), seeds.size(), channels, height, width, skip_draws, out);
    });
  }
  static Result<Latents> open(const std::string &path) {
    return detail::make<Latents>([&](sdxl_latents *out) { return sdxl_latents_open(path.c_str(), out); });
  }

  Status save(const std::string &path) const {
    return detail::status(sdxl_latents_save(handle(), path.c_str()));
  }
  Status shape(std::uint32_t (&out)[4]) const { return detail::status(sdxl_latents_shape(handle(), out)); }
  Result<std::vector<float>> values() const {
    return detail::copy<std::vector<float>>([&](float *buffer, std::size_t capacity, std::size_t *count) {
      return sdxl_latents_copy(handle(), buffer, capacity, count);
    });
  }
  Result<Image> preview(std::uint32_t index = 0) const {
    return detail::make<Image>([&](sdxl_image *out) { return sdxl_latents_preview(handle(), index, out); });
  }
};

/// Encoded text. It never changes.
class Embeddings : public detail::Object<sdxl_embeddings, sdxl_embeddings_free> {
 public:
  using Object::Object;

  static Result<Embeddings> make(const std::vector<float> &context, const std::vector<float> &pooled,
                                 std::uint32_t rows, std::uint32_t tokens) {
    return detail::make<Embeddings>([&](sdxl_embeddings *out) {
      return sdxl_embeddings_new(context.data(), context.size(), pooled.data(), pooled.size(), rows, tokens, out);
    });
  }
  static Result<Embeddings> open(const std::string &path) {
    return detail::make<Embeddings>(
        [&](sdxl_embeddings *out) { return sdxl_embeddings_open(path.c_str(), out); });
  }

  Status save(const std::string &path) const {
    return detail::status(sdxl_embeddings_save(handle(), path.c_str()));
  }
  /// Rows, tokens, width of the context, width of the pooled vector.
  Status shape(std::uint32_t (&out)[4]) const { return detail::status(sdxl_embeddings_shape(handle(), out)); }
  Result<std::vector<float>> context() const {
    return detail::copy<std::vector<float>>([&](float *buffer, std::size_t capacity, std::size_t *count) {
      return sdxl_embeddings_copy_context(handle(), buffer, capacity, count);
    });
  }
  Result<std::vector<float>> pooled() const {
    return detail::copy<std::vector<float>>([&](float *buffer, std::size_t capacity, std::size_t *count) {
      return sdxl_embeddings_copy_pooled(handle(), buffer, capacity, count);
    });
  }
};

/// What a picture is to show.
class Conditioning : public detail::Object<sdxl_conditioning, sdxl_conditioning_free> {
 public:
  using Object::Object;

  static Result<Conditioning> make(const std::string &prompt) {
    return detail::make<Conditioning>(
        [&](sdxl_conditioning *out) { return sdxl_conditioning_new(prompt.c_str(), out); });
  }
  static Result<Conditioning> from_embeddings(const Embeddings &embeddings) {
    return detail::make<Conditioning>([&](sdxl_conditioning *out) {
      return sdxl_conditioning_from_embeddings(embeddings.handle(), out);
    });
  }

  Result<Conditioning> clone() const {
    return detail::make<Conditioning>(
        [&](sdxl_conditioning *out) { return sdxl_conditioning_clone(handle(), out); });
  }
  Status set_prompt_2(const std::string &prompt) {
    return detail::status(sdxl_conditioning_set_prompt_2(handle(), prompt.c_str()));
  }
  Status set_negative_prompt(const std::string &prompt) {
    return detail::status(sdxl_conditioning_set_negative_prompt(handle(), prompt.c_str()));
  }
  Status set_negative_prompt_2(const std::string &prompt) {
    return detail::status(sdxl_conditioning_set_negative_prompt_2(handle(), prompt.c_str()));
  }
  Status set_prompt_syntax(const std::string &syntax) {
    return detail::status(sdxl_conditioning_set_prompt_syntax(handle(), syntax.c_str()));
  }
  Status set_negative_embeddings(const Embeddings &embeddings) {
    return detail::status(sdxl_conditioning_set_negative_embeddings(handle(), embeddings.handle()));
  }
  Status set_clip_skip(std::uint32_t layers) {
    return detail::status(sdxl_conditioning_set_clip_skip(handle(), layers));
  }
  Status set_original_size(std::uint32_t width, std::uint32_t height) {
    return detail::status(sdxl_conditioning_set_original_size(handle(), width, height));
  }
  Status set_crop(std::uint32_t left, std::uint32_t top) {
    return detail::status(sdxl_conditioning_set_crop(handle(), left, top));
  }
  Status set_target_size(std::uint32_t width, std::uint32_t height) {
    return detail::status(sdxl_conditioning_set_target_size(handle(), width, height));
  }
  Status set_negative_original_size(std::uint32_t width, std::uint32_t height) {
    return detail::status(sdxl_conditioning_set_negative_original_size(handle(), width, height));
  }
  Status set_negative_crop(std::uint32_t left, std::uint32_t top) {
    return detail::status(sdxl_conditioning_set_negative_crop(handle(), left, top));
  }
  Status set_negative_target_size(std::uint32_t width, std::uint32_t height) {
    return detail::status(sdxl_conditioning_set_negative_target_size(handle(), width, height));
  }
  Status set_aesthetic_score(double score) {
    return detail::status(sdxl_conditioning_set_aesthetic_score(handle(), score));
  }
  Status set_negative_aesthetic_score(double score) {
    return detail::status(sdxl_conditioning_set_negative_aesthetic_score(handle(), score));
  }
};

class Pipeline;

/// A way of sampling.
class Scheduler : public detail::Object<sdxl_scheduler, sdxl_scheduler_free> {
 public:
  using Object::Object;

  static Result<Scheduler> make(const std::string &name) {
    return detail::make<Scheduler>([&](sdxl_scheduler *out) { return sdxl_scheduler_new(name.c_str(), out); });
  }
  /// The one that a distilled or fine-tuned model was made for, such as "turbo".
  static Result<Scheduler> preset(const std::string &name) {
    return detail::make<Scheduler>(
        [&](sdxl_scheduler *out) { return sdxl_scheduler_new_preset(name.c_str(), out); });
  }
  static Result<Scheduler> from_pipeline(const Pipeline &pipeline);
  static Result<Scheduler> from_config(const std::string &json) {
    return detail::make<Scheduler>(
        [&](sdxl_scheduler *out) { return sdxl_scheduler_from_config(json.c_str(), out); });
  }

  static Result<Scheduler> open(const std::string &path) {
    return detail::make<Scheduler>([&](sdxl_scheduler *out) { return sdxl_scheduler_open(path.c_str(), out); });
  }

  Result<Scheduler> clone() const {
    return detail::make<Scheduler>([&](sdxl_scheduler *out) { return sdxl_scheduler_clone(handle(), out); });
  }
  Status set_name(const std::string &name) {
    return detail::status(sdxl_scheduler_set_name(handle(), name.c_str()));
  }
  Status set_spacing(const std::string &name) {
    return detail::status(sdxl_scheduler_set_spacing(handle(), name.c_str()));
  }
  Status set_prediction(const std::string &name) {
    return detail::status(sdxl_scheduler_set_prediction(handle(), name.c_str()));
  }
  Status set_eta(double eta) { return detail::status(sdxl_scheduler_set_eta(handle(), eta)); }
  Status set_timesteps(const std::vector<double> &timesteps) {
    return detail::status(sdxl_scheduler_set_timesteps(handle(), timesteps.data(), timesteps.size()));
  }
  Status set_sigmas(const std::vector<double> &sigmas) {
    return detail::status(sdxl_scheduler_set_sigmas(handle(), sigmas.data(), sigmas.size()));
  }
  Status set_leading(std::uint32_t offset) {
    return detail::status(sdxl_scheduler_set_leading(handle(), offset));
  }
  Status set_distilled(std::uint32_t original_steps) {
    return detail::status(sdxl_scheduler_set_distilled(handle(), original_steps));
  }
  Status set_karras(double rho) { return detail::status(sdxl_scheduler_set_karras(handle(), rho)); }
  Status set_beta(double alpha, double beta) {
    return detail::status(sdxl_scheduler_set_beta(handle(), alpha, beta));
  }
  Status set_sigma_range(double sigma_min, double sigma_max) {
    return detail::status(sdxl_scheduler_set_sigma_range(handle(), sigma_min, sigma_max));
  }
  Status set_terminal(const std::string &name) {
    return detail::status(sdxl_scheduler_set_terminal(handle(), name.c_str()));
  }
  Status set_rounding(const std::string &name) {
    return detail::status(sdxl_scheduler_set_rounding(handle(), name.c_str()));
  }
  Status set_interpolation(const std::string &name) {
    return detail::status(sdxl_scheduler_set_interpolation(handle(), name.c_str()));
  }
  Status set_initial_noise(const std::string &name) {
    return detail::status(sdxl_scheduler_set_initial_noise(handle(), name.c_str()));
  }
  Status set_clip(double range) { return detail::status(sdxl_scheduler_set_clip(handle(), range)); }
  Status set_dynamic_clip(double ratio, double max) {
    return detail::status(sdxl_scheduler_set_dynamic_clip(handle(), ratio, max));
  }
  /// The noise levels that a run of so many steps visits, the end included.
  Result<std::vector<double>> sigmas(std::uint32_t steps) const {
    return detail::copy<std::vector<double>>([&](double *buffer, std::size_t capacity, std::size_t *count) {
      return sdxl_scheduler_copy_sigmas(handle(), steps, buffer, capacity, count);
    });
  }
  /// What the UNet is told for them.
  Result<std::vector<double>> timesteps(std::uint32_t steps) const {
    return detail::copy<std::vector<double>>([&](double *buffer, std::size_t capacity, std::size_t *count) {
      return sdxl_scheduler_copy_timesteps(handle(), steps, buffer, capacity, count);
    });
  }
  Result<std::string> config() const {
    return detail::copy_text([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_scheduler_copy_config(handle(), buffer, capacity, size);
    });
  }
};

/// An order for pictures.
class Request : public detail::Object<sdxl_request, sdxl_request_free> {
 public:
  using Object::Object;

  static Result<Request> make(const Conditioning &conditioning) {
    return detail::make<Request>(
        [&](sdxl_request *out) { return sdxl_request_new(conditioning.handle(), out); });
  }
  /// For a prompt alone.
  static Result<Request> make(const std::string &prompt) {
    Result<Conditioning> conditioning = Conditioning::make(prompt);
    if (!conditioning) return conditioning.error();
    return make(*conditioning);
  }
  static Result<Request> make(const char *prompt) { return make(std::string(prompt)); }

  Result<Request> clone() const {
    return detail::make<Request>([&](sdxl_request *out) { return sdxl_request_clone(handle(), out); });
  }
  Result<sdxl_request_info> info() const {
    sdxl_request_info info{};
    info.struct_size = sizeof info;
    sdxl_status status = sdxl_request_get_info(handle(), &info);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return info;
  }
  Result<std::vector<std::uint64_t>> seeds() const {
    return detail::copy<std::vector<std::uint64_t>>(
        [&](std::uint64_t *buffer, std::size_t capacity, std::size_t *count) {
          return sdxl_request_copy_seeds(handle(), buffer, capacity, count);
        });
  }
  Status set_size(std::uint32_t width, std::uint32_t height) {
    return detail::status(sdxl_request_set_size(handle(), width, height));
  }
  Status set_width(std::uint32_t width) { return detail::status(sdxl_request_set_width(handle(), width)); }
  Status set_height(std::uint32_t height) { return detail::status(sdxl_request_set_height(handle(), height)); }
  Status set_steps(std::uint32_t steps) { return detail::status(sdxl_request_set_steps(handle(), steps)); }
  Status set_guidance(double scale) { return detail::status(sdxl_request_set_guidance(handle(), scale)); }
  Status set_guidance_rescale(double fraction) {
    return detail::status(sdxl_request_set_guidance_rescale(handle(), fraction));
  }
  Status set_guidance_interval(double lowest, double highest) {
    return detail::status(sdxl_request_set_guidance_interval(handle(), lowest, highest));
  }
  /// In the middle block unless layers are given.
  Status set_perturbed_attention(double scale, double adaptive_scale = 0, const std::vector<std::string> &layers = {}) {
    const std::vector<const char *> parts = detail::pointers(layers);
    return detail::status(
        sdxl_request_set_perturbed_attention(handle(), scale, adaptive_scale, parts.data(), parts.size()));
  }
  /// 1 is every time.
  Status set_deep_cache(std::uint32_t every) { return detail::status(sdxl_request_set_deep_cache(handle(), every)); }
  Status set_freeu(double s1 = 0.9, double s2 = 0.2, double b1 = 1.3, double b2 = 1.4) {
    return detail::status(sdxl_request_set_freeu(handle(), s1, s2, b1, b2));
  }
  Status set_hires(double scale, double strength = 0.7, const std::string &upscaler = "latent",
                   std::uint32_t steps = 0) {
    return detail::status(sdxl_request_set_hires(handle(), scale, strength, upscaler.c_str(), steps));
  }
  Status set_variation(std::uint64_t seed, double strength) {
    return detail::status(sdxl_request_set_variation(handle(), seed, strength));
  }
  Status set_seed(std::uint64_t seed) { return detail::status(sdxl_request_set_seed(handle(), seed)); }
  Status set_seeds(const std::vector<std::uint64_t> &seeds) {
    return detail::status(sdxl_request_set_seeds(handle(), seeds.data(), seeds.size()));
  }
  Status set_batch(std::uint32_t batch) { return detail::status(sdxl_request_set_batch(handle(), batch)); }
  Status set_scheduler(const Scheduler &scheduler) {
    return detail::status(sdxl_request_set_scheduler(handle(), scheduler.handle()));
  }
  Status set_initial_noise(const Latents &noise) {
    return detail::status(sdxl_request_set_initial_noise(handle(), noise.handle()));
  }
  Status set_image(const Image &image) {
    return detail::status(sdxl_request_set_image(handle(), image.handle()));
  }
  Status set_images(const detail::Handles<Image> &images) {
    return detail::status(sdxl_request_set_images(handle(), images.data(), images.size()));
  }
  Status set_image_latents(const Latents &latents) {
    return detail::status(sdxl_request_set_image_latents(handle(), latents.handle()));
  }
  Status set_inpaint(const Image &image, const Image &mask, double blur = 0) {
    return detail::status(sdxl_request_set_inpaint(handle(), image.handle(), mask.handle(), blur));
  }
  /// As many masks as images.
  Status set_inpaint_each(const detail::Handles<Image> &images, const detail::Handles<Image> &masks, double blur = 0) {
    if (images.size() != masks.size()) return Error{SDXL_STATUS_INVALID_VALUE, "expected as many masks as images"};
    return detail::status(
        sdxl_request_set_inpaint_each(handle(), images.data(), masks.data(), images.size(), blur));
  }
  Status set_outpaint(const Image &image, std::uint32_t left, std::uint32_t top, std::uint32_t right,
                      std::uint32_t bottom) {
    return detail::status(sdxl_request_set_outpaint(handle(), image.handle(), left, top, right, bottom));
  }
  Status set_watermark(bool watermark) {
    return detail::status(sdxl_request_set_watermark(handle(), watermark));
  }
  Status set_overlay(bool overlay) { return detail::status(sdxl_request_set_overlay(handle(), overlay)); }
  Status set_padding_mask_crop(std::uint32_t padding) {
    return detail::status(sdxl_request_set_padding_mask_crop(handle(), padding));
  }
  Status set_strength(double strength) {
    return detail::status(sdxl_request_set_strength(handle(), strength));
  }
  Status set_resume(const Latents &latents, double at) {
    return detail::status(sdxl_request_set_resume(handle(), latents.handle(), at));
  }
  Status set_skip_draws(std::uint32_t count) {
    return detail::status(sdxl_request_set_skip_draws(handle(), count));
  }
  Status set_end_at(double fraction) { return detail::status(sdxl_request_set_end_at(handle(), fraction)); }
  Status set_output(const std::string &name) {
    return detail::status(sdxl_request_set_output(handle(), name.c_str()));
  }
};

/// Called on the pipeline's thread before the first and after every step. An exception that it throws cancels the job.
using OnProgress = std::function<sdxl_flow(sdxl_job job, const sdxl_progress &progress)>;

/// A request under way; destroying it cancels it.
class Job : public detail::Object<sdxl_job, sdxl_job_free> {
 public:
  Job() noexcept = default;
  explicit Job(sdxl_job handle) noexcept : Object(handle) {}
  Job(Job &&) noexcept = default;
  Job &operator=(Job &&other) noexcept {
    // The job that was here goes before its callback.
    Object::operator=(std::move(other));
    callback_ = std::move(other.callback_);
    return *this;
  }
  ~Job() { reset(); }

  Result<sdxl_progress> poll() const {
    sdxl_progress progress{};
    progress.struct_size = sizeof progress;
    sdxl_status status = sdxl_job_poll(handle(), &progress);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return progress;
  }
  Status wait() const { return detail::status(sdxl_job_wait(handle(), -1)); }
  Status wait(std::chrono::milliseconds timeout) const {
    return detail::status(sdxl_job_wait(handle(), timeout.count() < 0 ? 0 : timeout.count()));
  }
  Status cancel() const { return detail::status(sdxl_job_cancel(handle())); }
  Result<Image> preview(std::uint32_t index = 0) const {
    return detail::make<Image>([&](sdxl_image *out) { return sdxl_job_preview(handle(), index, out); });
  }
  Result<Latents> denoised() const {
    return detail::make<Latents>([&](sdxl_latents *out) { return sdxl_job_denoised(handle(), out); });
  }
  /// Width and height of the pictures.
  Result<std::pair<std::uint32_t, std::uint32_t>> size() const {
    std::uint32_t width = 0, height = 0;
    sdxl_status status = sdxl_job_size(handle(), &width, &height);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return std::make_pair(width, height);
  }
  Result<std::size_t> draws() const {
    std::size_t count = 0;
    sdxl_status status = sdxl_job_draws(handle(), &count);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return count;
  }
  Result<std::vector<Image>> take_images() const {
    std::size_t count = 0;
    sdxl_status status = sdxl_job_image_count(handle(), &count);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    std::vector<sdxl_image> handles(count + 1);
    status = sdxl_job_take_images(handle(), handles.data(), handles.size(), &count);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return detail::own(handles, count);
  }
  Result<Latents> latents() const {
    return detail::make<Latents>([&](sdxl_latents *out) { return sdxl_job_latents(handle(), out); });
  }
  Result<std::string> cut() const {
    return detail::copy_text([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_job_copy_cut(handle(), buffer, capacity, size);
    });
  }

 private:
  friend class Pipeline;
  /// A callback may destroy its own job: the call under way keeps it.
  using Shared = std::shared_ptr<OnProgress>;

  static std::int32_t call(void *user_data, sdxl_job job, const sdxl_progress *progress) {
    Shared callback = *static_cast<Shared *>(user_data);
#ifdef SDXL_EXCEPTIONS
    try {
      return (*callback)(job, *progress);
    } catch (...) {
      return SDXL_FLOW_CANCEL;
    }
#else
    return (*callback)(job, *progress);
#endif
  }

  std::unique_ptr<Shared> callback_;
};

/// Which model, where and how it computes.
class PipelineOptions : public detail::Object<sdxl_pipeline_options, sdxl_pipeline_options_free> {
 public:
  using Object::Object;

  static Result<PipelineOptions> make(const std::string &model) {
    return detail::make<PipelineOptions>(
        [&](sdxl_pipeline_options *out) { return sdxl_pipeline_options_new(model.c_str(), out); });
  }

  /// For a model in memory: add its files.
  static Result<PipelineOptions> in_memory(const std::string &name) {
    return detail::make<PipelineOptions>(
        [&](sdxl_pipeline_options *out) { return sdxl_pipeline_options_new_in_memory(name.c_str(), out); });
  }

  /// The bytes must stay until the options are gone; see sdxl_pipeline_options_add_file.
  Status add_file(const std::string &name, const void *data, std::size_t size) {
    auto bytes = static_cast<const std::uint8_t *>(data);
    return detail::status(sdxl_pipeline_options_add_file(handle(), name.c_str(), bytes, size));
  }
  Status set_device(const std::string &device) {
    return detail::status(sdxl_pipeline_options_set_device(handle(), device.c_str()));
  }
  Status set_precision(const std::string &precision) {
    return detail::status(sdxl_pipeline_options_set_precision(handle(), precision.c_str()));
  }
  Status set_variant(const std::string &variant) {
    return detail::status(sdxl_pipeline_options_set_variant(handle(), variant.c_str()));
  }
  Status set_taesd(const std::string &path) {
    return detail::status(sdxl_pipeline_options_set_taesd(handle(), path.c_str()));
  }
  Status set_vae(const std::string &path) {
    return detail::status(sdxl_pipeline_options_set_vae(handle(), path.c_str()));
  }
  Status set_unet(const std::string &path) {
    return detail::status(sdxl_pipeline_options_set_unet(handle(), path.c_str()));
  }
  // "none" or "process".
  Status set_isolation(const std::string &isolation) {
    return detail::status(sdxl_pipeline_options_set_isolation(handle(), isolation.c_str()));
  }
  Status set_worker(const std::string &path) {
    return detail::status(sdxl_pipeline_options_set_worker(handle(), path.c_str()));
  }
  Status add_embedding(const std::string &path) {
    return detail::status(sdxl_pipeline_options_add_embedding(handle(), path.c_str()));
  }
  Status add_lora(const std::string &path, double weight = 1) {
    return detail::status(sdxl_pipeline_options_add_lora(handle(), path.c_str(), weight));
  }
  Status merge_loras() { return detail::status(sdxl_pipeline_options_merge_loras(handle())); }
  Status set_vae_tiling(bool vae_tiling) {
    return detail::status(sdxl_pipeline_options_set_vae_tiling(handle(), vae_tiling));
  }
  /// The files, or the memory given to add_file, must stay as long as the pipeline then.
  Status set_stream_text_encoders(bool stream_text_encoders) {
    return detail::status(sdxl_pipeline_options_set_stream_text_encoders(handle(), stream_text_encoders));
  }
  Result<PipelineOptions> clone() const {
    return detail::make<PipelineOptions>(
        [&](sdxl_pipeline_options *out) { return sdxl_pipeline_options_clone(handle(), out); });
  }
  Status check() const { return detail::status(sdxl_pipeline_options_check(handle())); }
  /// What the model is, without reading its weights.
  Result<sdxl_pipeline_info> info() const {
    sdxl_pipeline_info info{};
    info.struct_size = sizeof info;
    sdxl_status status = sdxl_pipeline_options_get_info(handle(), &info);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return info;
  }
};

/// A change of a model's weights, and how strongly it acts.
class Lora : public detail::Object<sdxl_lora, sdxl_lora_free> {
 public:
  using Object::Object;

  static Result<Lora> open(const std::string &path) {
    return detail::make<Lora>([&](sdxl_lora *out) { return sdxl_lora_open(path.c_str(), out); });
  }

  /// Another one of the same tensors, for other weights.
  Result<Lora> clone() const {
    return detail::make<Lora>([&](sdxl_lora *out) { return sdxl_lora_clone(handle(), out); });
  }
  Status set_weight(double weight) { return detail::status(sdxl_lora_set_weight(handle(), weight)); }
  Status set_text_encoders_weight(double weight) {
    return detail::status(sdxl_lora_set_text_encoders_weight(handle(), weight));
  }
  Status set_block(const std::string &block, double factor) {
    return detail::status(sdxl_lora_set_block(handle(), block.c_str(), factor));
  }
  Status ignore_unmatched() { return detail::status(sdxl_lora_ignore_unmatched(handle())); }
  /// On the UNet, and on the text encoders.
  Result<std::pair<double, double>> weights() const {
    double weight = 0, text_encoders_weight = 0;
    sdxl_status status = sdxl_lora_weights(handle(), &weight, &text_encoders_weight);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return std::make_pair(weight, text_encoders_weight);
  }
  /// "block factor" each.
  Result<std::vector<std::string>> blocks() const {
    return detail::copy_lines([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_lora_copy_blocks(handle(), buffer, capacity, size);
    });
  }
  Result<std::string> path() const {
    return detail::copy_text([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_lora_path(handle(), buffer, capacity, size);
    });
  }
  Result<std::string> looks_like() const {
    return detail::copy_text([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_lora_copy_looks_like(handle(), buffer, capacity, size);
    });
  }
};

/// New words for prompts.
class TextualInversion : public detail::Object<sdxl_textual_inversion, sdxl_textual_inversion_free> {
 public:
  using Object::Object;

  static Result<TextualInversion> open(const std::string &path) {
    return detail::make<TextualInversion>(
        [&](sdxl_textual_inversion *out) { return sdxl_textual_inversion_open(path.c_str(), out); });
  }

  Status set_words(const std::vector<std::string> &words) {
    const std::vector<const char *> texts = detail::pointers(words);
    return detail::status(sdxl_textual_inversion_set_words(handle(), texts.data(), texts.size()));
  }
  Result<std::vector<std::string>> words() const {
    return detail::copy_lines([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_textual_inversion_copy_words(handle(), buffer, capacity, size);
    });
  }
  Result<std::string> path() const {
    return detail::copy_text([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_textual_inversion_path(handle(), buffer, capacity, size);
    });
  }
};

/// A model ready to draw.
class Pipeline : public detail::Object<sdxl_pipeline, sdxl_pipeline_free> {
 public:
  using Object::Object;

  static Result<Pipeline> load(const PipelineOptions &options) {
    return detail::make<Pipeline>(
        [&](sdxl_pipeline *out) { return sdxl_pipeline_load(options.handle(), out); });
  }
  /// With the default options.
  static Result<Pipeline> load(const std::string &model) {
    Result<PipelineOptions> options = PipelineOptions::make(model);
    if (!options) return options.error();
    return load(*options);
  }
  static Result<Pipeline> load(const char *model) { return load(std::string(model)); }

  /// Another one with the same weights, whose jobs run at the same time.
  Result<Pipeline> clone() const {
    return detail::make<Pipeline>([&](sdxl_pipeline *out) { return sdxl_pipeline_clone(handle(), out); });
  }
  Result<sdxl_pipeline_info> info() const {
    sdxl_pipeline_info info{};
    info.struct_size = sizeof info;
    sdxl_status status = sdxl_pipeline_get_info(handle(), &info);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return info;
  }
  Result<std::string> path() const {
    return detail::copy_text([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_pipeline_path(handle(), buffer, capacity, size);
    });
  }

  Result<std::string> device() const {
    return detail::copy_text([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_pipeline_device(handle(), buffer, capacity, size);
    });
  }

  /// One with these LoRAs in the place of those that this one has, kept beside the weights: a vector, or {one, another}.
  Result<Pipeline> with_loras(const detail::Handles<Lora> &loras) const {
    return detail::make<Pipeline>([&](sdxl_pipeline *out) {
      return sdxl_pipeline_with_loras(handle(), loras.data(), loras.size(), out);
    });
  }
  /// The same, merged into copies of the weights.
  Result<Pipeline> with_merged_loras(const detail::Handles<Lora> &loras) const {
    return detail::make<Pipeline>([&](sdxl_pipeline *out) {
      return sdxl_pipeline_with_merged_loras(handle(), loras.data(), loras.size(), out);
    });
  }
  /// One with these textual inversions in the place of those that this one has.
  Result<Pipeline> with_textual_inversions(const detail::Handles<TextualInversion> &textual_inversions) const {
    return detail::make<Pipeline>([&](sdxl_pipeline *out) {
      return sdxl_pipeline_with_textual_inversions(handle(), textual_inversions.data(), textual_inversions.size(),
                                                   out);
    });
  }
  Result<std::vector<Lora>> loras() const {
    std::size_t count = 0;
    sdxl_status status = sdxl_pipeline_lora_count(handle(), &count);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    std::vector<Lora> loras;
    for (std::size_t i = 0; i < count; i++) {
      Result<Lora> lora = detail::make<Lora>([&](sdxl_lora *out) {
        return sdxl_pipeline_get_lora(handle(), static_cast<std::uint32_t>(i), out);
      });
      if (!lora) return lora.error();
      loras.push_back(*std::move(lora));
    }
    return loras;
  }
  Result<sdxl_lora_info> lora_info(std::uint32_t index) const {
    sdxl_lora_info info{};
    info.struct_size = sizeof info;
    sdxl_status status = sdxl_pipeline_get_lora_info(handle(), index, &info);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return info;
  }
  /// The keys of a LoRA that fit no layer.
  Result<std::vector<std::string>> unmatched(std::uint32_t index) const {
    return detail::copy_lines([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_pipeline_copy_unmatched(handle(), index, buffer, capacity, size);
    });
  }
  Result<std::vector<TextualInversion>> textual_inversions() const {
    std::size_t count = 0;
    sdxl_status status = sdxl_pipeline_textual_inversion_count(handle(), &count);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    std::vector<TextualInversion> all;
    for (std::size_t i = 0; i < count; i++) {
      Result<TextualInversion> one = detail::make<TextualInversion>([&](sdxl_textual_inversion *out) {
        return sdxl_pipeline_get_textual_inversion(handle(), static_cast<std::uint32_t>(i), out);
      });
      if (!one) return one.error();
      all.push_back(*std::move(one));
    }
    return all;
  }

  /// Starts a request and returns at once.
  Result<Job> start(const Request &request, OnProgress on_progress = nullptr) const {
    std::unique_ptr<Job::Shared> callback;
    if (on_progress) {
      callback = std::make_unique<Job::Shared>(std::make_shared<OnProgress>(std::move(on_progress)));
    }
    Result<Job> job = detail::make<Job>([&](sdxl_job *out) {
      return sdxl_job_start(handle(), request.handle(), callback ? Job::call : nullptr, callback.get(), out);
    });
    if (job) job->callback_ = std::move(callback);
    return job;
  }
  /// Draws the pictures and waits for them.
  Result<std::vector<Image>> generate(const Request &request) const {
    Result<Job> job = start(request);
    if (!job) return job.error();
    Status ended = job->wait();
    if (!ended) return ended.error();
    return job->take_images();
  }
  /// The prompt's and the negative prompt's embeddings.
  Result<std::pair<Embeddings, Embeddings>> encode(const Conditioning &conditioning) const {
    sdxl_embeddings positive{}, negative{};
    sdxl_status status = sdxl_pipeline_encode(handle(), conditioning.handle(), &positive, &negative);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return std::make_pair(Embeddings(positive), Embeddings(negative));
  }
  /// What of the prompts does not fit.
  Result<std::vector<std::string>> cut(const Conditioning &conditioning) const {
    return detail::copy_lines([&](char *buffer, std::size_t capacity, std::size_t *size) {
      return sdxl_pipeline_copy_cut(handle(), conditioning.handle(), buffer, capacity, size);
    });
  }
  /// Pictures to latents: a vector, or {one, another}.
  Result<Latents> encode_images(const detail::Handles<Image> &images, const std::vector<std::uint64_t> &seeds) const {
    return detail::make<Latents>([&](sdxl_latents *out) {
      return sdxl_pipeline_encode_images(handle(), images.data(), images.size(), seeds.data(), seeds.size(), out);
    });
  }
  /// Latents to numbers in about [-1, 1].
  Result<std::vector<float>> decode_values(const Latents &latents) const {
    return detail::copy<std::vector<float>>([&](float *buffer, std::size_t capacity, std::size_t *count) {
      return sdxl_pipeline_decode_values(handle(), latents.handle(), buffer, capacity, count);
    });
  }
  Result<std::vector<Image>> decode(const Latents &latents) const {
    std::uint32_t shape[4] = {};
    Status known = latents.shape(shape);
    if (!known) return known.error();
    std::vector<sdxl_image> handles(shape[0]);
    std::size_t count = 0;
    sdxl_status status = sdxl_pipeline_decode(handle(), latents.handle(), handles.data(), handles.size(), &count);
    if (status != SDXL_STATUS_OK) return detail::last_error(status);
    return detail::own(handles, count);
  }
};

inline Result<Scheduler> Scheduler::from_pipeline(const Pipeline &pipeline) {
  return detail::make<Scheduler>(
      [&](sdxl_scheduler *out) { return sdxl_scheduler_from_pipeline(pipeline.handle(), out); });
}

/// The names that a text parameter may have; see sdxl_copy_names.
inline Result<std::vector<std::string>> names(const std::string &what) {
  return detail::copy_lines([&](char *buffer, std::size_t capacity, std::size_t *size) {
    return sdxl_copy_names(what.c_str(), buffer, capacity, size);
  });
}
/// Width, height, width, height and so on of the sizes that SDXL was trained on.
inline Result<std::vector<std::uint32_t>> buckets() {
  return detail::copy<std::vector<std::uint32_t>>(
      [](std::uint32_t *buffer, std::size_t capacity, std::size_t *count) {
        return sdxl_copy_buckets(buffer, capacity, count);
      });
}
/// The one of them that is nearest in shape.
inline Result<std::pair<std::uint32_t, std::uint32_t>> nearest_bucket(std::uint32_t width, std::uint32_t height) {
  std::uint32_t nearest[2] = {};
  sdxl_status status = sdxl_nearest_bucket(width, height, &nearest[0], &nearest[1]);
  if (status != SDXL_STATUS_OK) return detail::last_error(status);
  return std::make_pair(nearest[0], nearest[1]);
}
inline Status set_threads(std::uint32_t threads) { return detail::status(sdxl_set_threads(threads)); }
inline Status check_device(const std::string &device) { return detail::status(sdxl_check_device(device.c_str())); }

}  // namespace sdxl

#endif
