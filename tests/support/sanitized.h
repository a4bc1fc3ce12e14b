#pragma once

// Sanitizers make a program several times slower. A test that draws many cases from a seed may draw
// fewer of them there, if the release build runs all: its program is in a module with EXHAUSTIVE
// (cmake/Module.cmake).
namespace tidemark {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

template <class Number>
constexpr Number UnlessSanitized(Number all, Number sanitized) {
  return kSanitized ? sanitized : all;
}

}  // namespace tidemark
