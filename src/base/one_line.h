#pragma once

#include <string>
#include <string_view>

namespace tidemark {

// UTF-8 text from outside (the name of a collection, a server's answer) as one line for people:
// control characters become escapes ("\n", "\x1b", "\u009b"), marks that turn the direction of
// writing too ("\u202e"). So it can neither look like another line of a log or a plan, nor command
// a terminal. All else is kept.
std::string OneLine(std::string_view text);

}  // namespace tidemark
