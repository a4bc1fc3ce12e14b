#include "exit_status.h"

namespace tidemark::app {

int ExitStatus(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInternal:
      return 1;
    case ErrorCode::kInvalidArgument:
      return 2;
    case ErrorCode::kNotFound:
      return 3;
    case ErrorCode::kConflict:
      return 4;
    case ErrorCode::kUnauthenticated:
      return 5;
    case ErrorCode::kPermissionDenied:
      return 6;
    case ErrorCode::kResourceExhausted:
      return 7;
    case ErrorCode::kUnavailable:
      return 8;
    case ErrorCode::kTimeout:
      return 9;
    case ErrorCode::kCancelled:
      return 10;
    case ErrorCode::kCorrupt:
      return 11;
    case ErrorCode::kUnsupported:
      return 12;
    case ErrorCode::kIo:
      return 13;
  }
  return 1;
}

}  // namespace tidemark::app
