#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace tidemark {

// What kind of failure this is, for whoever has to decide on it: an HTTP status, an exit status, a
// retry. A closed set: a new enumerator makes api/error_table.cpp and apps/tidemark/exit_status.cpp
// stop compiling.
enum class ErrorCode {
  kInvalidArgument,    // the caller's input is wrong; repeating it cannot help
  kNotFound,           // the named object does not exist
  kConflict,           // the object's state forbids it now
  kUnauthenticated,    // no or wrong credentials
  kPermissionDenied,   // known caller, not allowed
  kResourceExhausted,  // a bound of ours or of the machine was hit (disk full, queue full)
  kUnavailable,        // the other side cannot be reached or refuses for now; worth a retry
  kTimeout,            // a deadline passed; worth a retry
  kCancelled,          // somebody asked for the end
  kCorrupt,            // stored bytes fail their check
  kUnsupported,        // the other side has no such feature
  kIo,                 // the operating system failed a read or write
  kInternal,           // our mistake
};

// The enumerator's name without the k, e.g. "Corrupt". For log lines and tests.
std::string_view ErrorCodeName(ErrorCode code);

// kUnavailable and kTimeout: the only codes a retry wrapper acts on.
bool IsRetryable(ErrorCode code);

// The one exception type. `message` reads "what failed: why", lower case, with the object named, no
// full stop. `hint` says what a person can do next; may be empty.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string hint = {});

  ErrorCode code() const { return code_; }

  std::string_view message() const { return what(); }

  const std::string& hint() const { return hint_; }

  // A copy whose message is "<doing>: <message>"; code and hint stay.
  Error WithContext(std::string_view doing) const;

 private:
  ErrorCode code_;
  std::string hint_;
};

// Throws the Error for errno value `error`: ENOSPC and EDQUOT become kResourceExhausted, ENOENT
// kNotFound, EACCES and EPERM kPermissionDenied, EEXIST kConflict, anything else kIo. The only
// errno translation.
[[noreturn]] void ThrowErrno(int error, std::string_view doing, std::string_view path);

// For a condition that only a bug of ours can break. Prints the place and aborts.
// Never on input: bytes from disk, network or a user are validated and throw.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace tidemark

#define TIDEMARK_CHECK(condition)                              \
  do {                                                         \
    if (!(condition)) {                                        \
      ::tidemark::CheckFailed(#condition, __FILE__, __LINE__); \
    }                                                          \
  } while (false)
