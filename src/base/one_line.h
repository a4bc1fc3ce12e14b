#pragma once

#include <string>
#include <string_view>

namespace tidemark {

// Text from outside (the name of a collection, a server's answer) as one line for people: control
// characters become escapes ("\n", "\x1b"), those of Unicode (U+0080 to U+009F) too. So it can
// neither look like another line of a log or a plan, nor command a terminal. All else is kept.
std::string OneLine(std::string_view text);

}  // namespace tidemark
