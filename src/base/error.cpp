#include "base/error.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace tidemark {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "InvalidArgument";
    case ErrorCode::kNotFound:
      return "NotFound";
    case ErrorCode::kConflict:
      return "Conflict";
    case ErrorCode::kUnauthenticated:
      return "Unauthenticated";
    case ErrorCode::kPermissionDenied:
      return "PermissionDenied";
    case ErrorCode::kResourceExhausted:
      return "ResourceExhausted";
    case ErrorCode::kUnavailable:
      return "Unavailable";
    case ErrorCode::kTimeout:
      return "Timeout";
    case ErrorCode::kCancelled:
      return "Cancelled";
    case ErrorCode::kCorrupt:
      return "Corrupt";
    case ErrorCode::kUnsupported:
      return "Unsupported";
    case ErrorCode::kIo:
      return "Io";
    case ErrorCode::kInternal:
      return "Internal";
  }
  return "Unknown";
}

bool IsRetryable(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kTimeout;
}

Error::Error(ErrorCode code, const std::string& message, std::string hint)
    : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

Error Error::WithContext(std::string_view doing) const {
  return Error(code_, std::string(doing) + ": " + what(), hint_);
}

void ThrowErrno(int error, std::string_view doing, std::string_view path) {
  ErrorCode code = ErrorCode::kIo;
  std::string hint;
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      code = ErrorCode::kResourceExhausted;
      hint = "free space on that file system, then try again";
      break;
    case ENOENT:
      code = ErrorCode::kNotFound;
      break;
    case EACCES:
    case EPERM:
      code = ErrorCode::kPermissionDenied;
      hint = "check owner and mode of that path";
      break;
    case EEXIST:
      code = ErrorCode::kConflict;
      break;
    default:
      break;
  }
  std::string message;
  message.append(doing).append(" ").append(path).append(": ");
  message.append(std::generic_category().message(error));
  throw Error(code, message, hint);
}

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(
      stderr, "%s:%d: check failed: %s\nThis is a bug in Tidemark.\n", file, line, condition);
  std::abort();
}

}  // namespace tidemark
