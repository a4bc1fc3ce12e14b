#include "curl/handles.h"

namespace tidemark::curl {
namespace {

ErrorCode CodeOf(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::kTimeout;
    case CURLE_ABORTED_BY_CALLBACK:
      return ErrorCode::kCancelled;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_LOGIN_DENIED:
      return ErrorCode::kUnauthenticated;
    case CURLE_OUT_OF_MEMORY:
      return ErrorCode::kResourceExhausted;
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace

CurlLibrary::CurlLibrary() {
  CheckOption(curl_global_init(CURL_GLOBAL_DEFAULT));
}

CurlLibrary::~CurlLibrary() {
  curl_global_cleanup();
}

void CheckOption(CURLcode code) {
  if (code != CURLE_OK) {
    throw Error(ErrorCode::kInternal,
                "preparing a transfer: " + std::string(curl_easy_strerror(code)));
  }
}

void ThrowCurlError(CURLcode code, long reply, const std::string& doing) {
  std::string message = doing + ": " + curl_easy_strerror(code);
  if (reply != 0) {
    message += " (reply " + std::to_string(reply) + ")";
  }
  throw Error(CodeOf(code), message);
}

void Append(ListHandle& list, const std::string& line) {
  curl_slist* const shorter = list.release();
  curl_slist* const longer = curl_slist_append(shorter, line.c_str());
  list.reset(longer == nullptr ? shorter : longer);
  if (longer == nullptr) {
    throw Error(ErrorCode::kResourceExhausted, "preparing a transfer: no memory");
  }
}

}  // namespace tidemark::curl
