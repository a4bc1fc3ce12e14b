#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/mutex.h"
#include "curl/handles.h"
#include "objectstore/s3.h"
#include "objectstore/sigv4.h"

namespace tidemark::objectstore {

struct HttpCall {
  std::string method;
  std::string url;
  Pairs headers;
  ByteView body;  // borrowed
  // Gets the body of an answer with status 2xx instead of HttpAnswer::body; may be empty.
  std::function<void(ByteView bytes)> on_body;
};

struct HttpAnswer {
  long status = 0;
  std::string etag;  // without quotes
  std::optional<std::uint64_t> length;
  std::string region;  // x-amz-bucket-region: where the bucket really is
  std::string body;    // at most kMaxXml bytes
};

// Handles with the connections that they keep open, so that not every request makes one (and a TLS
// session) anew. Synchronized.
class Connections {
 public:
  curl::EasyHandle Take() TIDEMARK_EXCLUDES(mutex_);
  // After an exchange that went well; the others' connections are closed.
  void GiveBack(curl::EasyHandle handle) TIDEMARK_EXCLUDES(mutex_);

 private:
  const curl::CurlLibrary library_;
  Mutex mutex_;
  std::vector<curl::EasyHandle> idle_ TIDEMARK_GUARDED_BY(mutex_);  // as many as were used at once
};

// One exchange. kUnavailable, kTimeout, kPermissionDenied for an
// address that may not be, kCancelled; any answer is returned. What `on_body` throws comes through.
HttpAnswer Perform(Connections& connections,
                   const HttpCall& call,
                   const S3Options& options,
                   const std::stop_token& stop);

}  // namespace tidemark::objectstore
