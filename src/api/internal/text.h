#pragma once

#include <string>
#include <string_view>

namespace tidemark::api {

// ASCII helpers for header values.
std::string_view Trim(std::string_view text);
bool EqualNoCase(std::string_view a, std::string_view b);
bool StartsWithNoCase(std::string_view text, std::string_view prefix);
// What stands before the next `separator` (or the end); both are taken off `rest`.
std::string_view TakeUntil(std::string_view& rest, char separator);
// As one segment of a path: everything but letters, digits and -._~ percent-encoded.
std::string EncodeSegment(std::string_view text);

}  // namespace tidemark::api
