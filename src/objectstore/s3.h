#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/units.h"
#include "objectstore/bucket.h"

struct sockaddr;

namespace tidemark::objectstore {

// How to reach a bucket. Requests are in path style: what every S3 server understands.
struct S3Address {
  std::string endpoint;  // "https://host[:port]", as CheckEndpoint takes it
  std::string region = "us-east-1";
  std::string bucket;
  std::string access_key;
  Secret secret_key;
};

inline constexpr ByteCount kPartSize = MiB(8);

struct S3Options {
  // Whether a connection may go to that address. The only check: names may change what they stand
  // for.
  std::function<bool(const sockaddr& address)> may_connect;
  // An object up to this size is sent at once, a longer one in parts of it: what an upload holds in
  // memory. S3 takes parts from 5 MiB on, and 10,000 of them.
  ByteCount part_size = kPartSize;
  int attempts = 5;                            // of one request
  std::chrono::milliseconds first_pause{500};  // doubles with every attempt
  std::chrono::milliseconds connect_timeout{10'000};
  // A transfer that is slower than 1 KiB/s for so long is given up.
  std::chrono::seconds stalled{60};
};

// What of the text is an endpoint, without a slash at its end. kInvalidArgument unless it is http
// or https, host and port only.
std::string CheckEndpoint(const std::string& endpoint);

// Does not talk to the endpoint yet. `clock` (requests are signed for a time) and `log` must
// outlive the bucket.
std::unique_ptr<Bucket> OpenS3Bucket(S3Address address,
                                     S3Options options,
                                     const Clock& clock,
                                     Log& log);

}  // namespace tidemark::objectstore
