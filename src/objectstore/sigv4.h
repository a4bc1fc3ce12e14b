#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

// AWS Signature Version 4 (Signature V4 for S3: one URI encoding of the path, signed payload hash).
// Pure; any thread.
namespace tidemark::objectstore {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct SigningKey {
  std::string access_key;
  Secret secret_key;
  std::string region;
  std::string service = "s3";
};

struct SignedRequest {
  std::string method;
  std::string path;          // decoded: "/bucket/key"
  Pairs query;               // decoded, in any order
  Pairs headers;             // lower-case names; all are signed, `host` has to be among them
  std::string payload_hash;  // SHA-256, lower-case hex
};

// Every byte but letters, digits, '-', '.', '_' and '~' as %XX in capitals; '/' stays in a path.
std::string EncodeUri(std::string_view text);
std::string EncodePath(std::string_view path);
// "a=1&b=": by encoded name, then value.
std::string CanonicalQuery(const Pairs& query);
// "20130524T000000Z".
std::string AmzDate(Instant now);

// The value of the header Authorization. `request.headers` have x-amz-date of `now` already.
std::string Authorization(const SigningKey& key, const SignedRequest& request, Instant now);

}  // namespace tidemark::objectstore
