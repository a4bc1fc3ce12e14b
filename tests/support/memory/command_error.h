#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tidemark::memory {

// What a command's reply says in errmsg, code, codeName and errorLabels. Numbers: MongoDB's
// error_codes.yml.
struct CommandError : std::runtime_error {
  CommandError(int number,
               std::string name,
               const std::string& message,
               std::vector<std::string> error_labels = {})
      : std::runtime_error(message),
        code(number),
        code_name(std::move(name)),
        labels(std::move(error_labels)) {}

  int code;
  std::string code_name;
  std::vector<std::string> labels;
};

[[noreturn]] inline void ThrowBadValue(const std::string& message) {
  throw CommandError(2, "BadValue", message);
}

}  // namespace tidemark::memory
