#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace tidemark {

// Text that must not be seen: a connection string, a private key, a token. Prints as `***` wherever
// it is formatted; Reveal() is the one way to the text, easy to find in a review. Overwritten when
// destroyed.
class Secret {
 public:
  Secret() = default;

  explicit Secret(std::string text) : text_(std::move(text)) {}

  Secret(const Secret&) = default;

  Secret(Secret&& other) noexcept : text_(other.text_) { other.Wipe(); }

  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;

  ~Secret() { Wipe(); }

  const std::string& Reveal() const { return text_; }

  bool empty() const { return text_.empty(); }

 private:
  void Wipe();

  std::string text_;
};

// Compares in a time that depends on the lengths only.
bool ConstantTimeEqual(const std::string& a, const std::string& b);

}  // namespace tidemark

// What any log line or message gets to see of a Secret.
template <>
struct fmt::formatter<tidemark::Secret> {
  // NOLINTBEGIN(readability-identifier-naming): fmt's names
  constexpr auto parse(format_parse_context& context) { return context.begin(); }

  auto format(const tidemark::Secret&, format_context& context) const {
    return std::ranges::copy(std::string_view("***"), context.out()).out;
  }

  // NOLINTEND(readability-identifier-naming)
};
