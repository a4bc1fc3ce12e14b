#include "mongo/internal/driver_error.h"

namespace tidemark::mongo {
namespace {

struct Kind {
  ErrorCode code;
  std::string_view hint;
};

constexpr std::string_view kRightsHint =
    "check user, password and roles of the cluster's connection string";
constexpr std::string_view kReachHint =
    "is the cluster running, and can this machine reach it with these TLS settings?";
constexpr std::string_view kMajorityHint =
    "a majority of the replica set's members has to be up and keep up, or what is written could be "
    "lost in an election; w=1 in the connection string does without";

// Numbers: MongoDB's error_codes.yml.
Kind ServerKind(std::uint32_t code) {
  switch (code) {
    case 11:  // UserNotFound
    case 13:  // Unauthorized
    case 18:  // AuthenticationFailed
      return {ErrorCode::kPermissionDenied, kRightsHint};
    case kNamespaceNotFound:
      return {ErrorCode::kNotFound, ""};
    case 48:     // NamespaceExists
    case 11000:  // DuplicateKey, and its older numbers
    case 11001:
    case 12582:
      return {ErrorCode::kConflict, ""};
    case 59:   // CommandNotFound
    case 115:  // CommandNotSupported
    case kCommandNotSupportedOnView:
    case 238:  // NotImplemented (FerretDB)
      return {ErrorCode::kUnsupported, ""};
    case 50:   // MaxTimeMSExpired
    case 89:   // NetworkTimeout
    case 262:  // ExceededTimeLimit
      return {ErrorCode::kTimeout, ""};
    case 64:   // WriteConcernFailed
    case 100:  // UnsatisfiableWriteConcern
      return {ErrorCode::kTimeout, kMajorityHint};
    case 14031:  // OutOfDiskSpace
      return {ErrorCode::kResourceExhausted, "free space on the cluster's disk"};
    case 6:      // HostUnreachable
    case 7:      // HostNotFound
    case 43:     // CursorNotFound
    case 91:     // ShutdownInProgress
    case 112:    // WriteConflict
    case 133:    // FailedToSatisfyReadPreference
    case 136:    // CappedPositionLost
    case 175:    // QueryPlanKilled
    case 189:    // PrimarySteppedDown
    case 237:    // CursorKilled
    case 9001:   // SocketException
    case 10058:  // LegacyNotPrimary
    case 10107:  // NotWritablePrimary
    case 11600:  // InterruptedAtShutdown
    case 11602:  // InterruptedDueToReplStateChange
    case 13435:  // NotPrimaryNoSecondaryOk
    case 13436:  // NotPrimaryOrSecondary
      return {ErrorCode::kUnavailable, ""};
    default:
      return {ErrorCode::kInvalidArgument, ""};
  }
}

// The driver has one code for a lost and for a silent peer, and mostly one text as well.
Kind StreamKind(const bson_error_t& error) {
  const std::string_view text(error.message);
  const bool silent = text.find("timeout") != std::string_view::npos &&
                      text.find("error or timeout") == std::string_view::npos;
  return {silent ? ErrorCode::kTimeout : ErrorCode::kUnavailable, kReachHint};
}

// Servers before 4.4 and imitations give this refusal of drop no code.
bool IsCodelessNotFound(const bson_error_t& error) {
  return std::string_view(error.message) == "ns not found";
}

Kind DriverKind(const bson_error_t& error) {
  switch (error.domain) {
    case MONGOC_ERROR_SERVER_SELECTION:
      return {ErrorCode::kUnavailable, kReachHint};
    case MONGOC_ERROR_STREAM:
      return StreamKind(error);
    case MONGOC_ERROR_SCRAM:
    case MONGOC_ERROR_SASL:
      return {ErrorCode::kPermissionDenied, kRightsHint};
    case MONGOC_ERROR_CLIENT:
      return error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE
                 ? Kind{ErrorCode::kPermissionDenied, kRightsHint}
                 : Kind{ErrorCode::kUnavailable, ""};
    case MONGOC_ERROR_CURSOR:
    case MONGOC_ERROR_PROTOCOL:
      return {ErrorCode::kUnavailable, ""};
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_QUERY:
    case MONGOC_ERROR_COMMAND:
    case MONGOC_ERROR_COLLECTION:
    case MONGOC_ERROR_WRITE_CONCERN:
      return ServerKind(IsCodelessNotFound(error) ? kNamespaceNotFound : error.code);
    default:
      return {ErrorCode::kInvalidArgument, ""};
  }
}

}  // namespace

void ThrowDriverError(const bson_error_t& error, std::string_view doing) {
  const Kind kind = DriverKind(error);
  throw Error(kind.code, std::string(doing) + ": " + error.message, std::string(kind.hint));
}

Error MakeServerError(std::uint32_t code, const std::string& message) {
  const Kind kind = ServerKind(code);
  return Error(kind.code, message, std::string(kind.hint));
}

}  // namespace tidemark::mongo
