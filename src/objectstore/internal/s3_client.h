#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "objectstore/internal/s3_transfer.h"
#include "objectstore/s3.h"
#include "objectstore/sigv4.h"
#include "objectstore/xml.h"

namespace tidemark::objectstore {

struct S3Request {
  std::string method;
  std::string key;  // empty: the bucket itself
  Pairs query = {};
  ByteView body = {};  // borrowed
  std::function<void(ByteView bytes)> on_body = nullptr;
  // An absent object is an answer (404) and no error; an absent bucket is one.
  bool may_be_absent = false;
  bool once = false;        // no second attempt
  int* attempts = nullptr;  // how many were made, if anybody wants to know
};

// Signs requests for one bucket, sends them, and tries again. Synchronized.
class S3Client {
 public:
  S3Client(S3Address address, S3Options options, const Clock& clock, Log& log);

  // An answer 2xx (or 404 where it may be). kNotFound, kPermissionDenied, kInvalidArgument for what
  // the store refuses; kUnavailable, kTimeout after the last attempt. A request with `on_body` is
  // made once: what it has given cannot be taken back.
  HttpAnswer Send(const S3Request& request, const std::stop_token& stop);
  // As Send, for answers in XML whose root has that name. An <Error> in an answer 200 counts like
  // one with its own status.
  XmlElement SendForXml(const S3Request& request,
                        std::string_view root,
                        const std::stop_token& stop);

  const S3Options& options() const { return options_; }

  Log& log() { return log_; }

  // "s3://bucket/key": how messages name it.
  std::string NameOf(const std::string& key) const;

 private:
  // Perform, whose errors name the object.
  HttpAnswer PerformFor(const S3Request& request,
                        const HttpCall& call,
                        const std::stop_token& stop);
  HttpAnswer SendOnce(const S3Request& request, const std::stop_token& stop);
  [[noreturn]] void Refuse(const S3Request& request, const HttpAnswer& answer) const;

  // Calls `attempt` until it returns.
  template <class Attempt>
  auto Retry(const S3Request& request, const std::stop_token& stop, const Attempt& attempt);

  const S3Address address_;
  const S3Options options_;
  const std::string host_;
  const Clock& clock_;
  Log& log_;
  Connections connections_;
};

}  // namespace tidemark::objectstore
