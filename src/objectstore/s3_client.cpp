#include "objectstore/internal/s3_client.h"

#include <algorithm>
#include <cctype>

#include "base/pause.h"
#include "codec/codec.h"
#include "curl/handles.h"

namespace tidemark::objectstore {
namespace {

[[noreturn]] void RefuseEndpoint(std::string_view why) {
  throw Error(ErrorCode::kInvalidArgument, "reading an endpoint: " + std::string(why));
}

std::string Part(const curl::UrlHandle& url, CURLUPart part, unsigned flags = 0) {
  char* raw = nullptr;
  if (curl_url_get(url.get(), part, &raw, flags) != CURLUE_OK) {
    return {};
  }
  const CHandle<char, curl_free> text(raw);
  return text.get();
}

// As the library writes it into the header: without the scheme's own port.
std::string HostOf(const std::string& endpoint) {
  const curl::UrlHandle url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, endpoint.c_str(), 0) != CURLUE_OK) {
    RefuseEndpoint("it is no URL");
  }
  const std::string port = Part(url, CURLUPART_PORT);
  const bool own = port == (Part(url, CURLUPART_SCHEME) == "https" ? "443" : "80");
  return Part(url, CURLUPART_HOST) + (port.empty() || own ? "" : ":" + port);
}

// S3's word for what was wrong, cut to what may stand in a message.
std::string CodeOf(const HttpAnswer& answer) {
  std::string code;
  try {
    code = ParseXml(answer.body).TextOf("Code");
  } catch (const Error&) {  // HEAD has no body, a proxy another one: the status has to do
    return {};
  }
  const bool word = std::ranges::all_of(code, [](unsigned char c) { return std::isalnum(c) != 0; });
  return word && code.size() <= 64 ? code : std::string();
}

// Whether it may be another answer soon. "RequestTimeout" is S3's 400 for a body that came slowly.
bool IsPassing(long status, std::string_view code) {
  return status >= 500 || status == 429 || status == 408 || code == "RequestTimeout" ||
         code == "SlowDown" || code == "InternalError" || code == "ServiceUnavailable";
}

}  // namespace

std::string CheckEndpoint(const std::string& endpoint) {
  const auto plain = [](char c) { return c > ' ' && c < 0x7f; };
  if (endpoint.size() > 1024 || !std::ranges::all_of(endpoint, plain)) {
    RefuseEndpoint("it is longer than 1024 bytes, or has characters that need an escape");
  }
  const curl::UrlHandle url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, endpoint.c_str(), 0) != CURLUE_OK) {
    RefuseEndpoint("it is no URL");
  }
  const std::string scheme = Part(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    RefuseEndpoint("it needs http:// or https://");
  }
  const std::string path = Part(url, CURLUPART_PATH);
  if (!Part(url, CURLUPART_USER).empty() || !Part(url, CURLUPART_PASSWORD).empty() ||
      !Part(url, CURLUPART_QUERY).empty() || !Part(url, CURLUPART_FRAGMENT).empty() ||
      (!path.empty() && path != "/")) {
    RefuseEndpoint("it has more than scheme, host and port");
  }
  if (Part(url, CURLUPART_HOST).empty()) {
    RefuseEndpoint("it has no host");
  }
  return scheme + "://" + HostOf(endpoint);
}

S3Client::S3Client(S3Address address, S3Options options, const Clock& clock, Log& log)
    : address_(std::move(address)),
      options_(std::move(options)),
      host_(HostOf(address_.endpoint)),
      clock_(clock),
      log_(log) {
  TIDEMARK_CHECK(options_.may_connect != nullptr);
}

std::string S3Client::NameOf(const std::string& key) const {
  return "s3://" + address_.bucket + (key.empty() ? "" : "/" + key);
}

HttpAnswer S3Client::PerformFor(const S3Request& request,
                                const HttpCall& call,
                                const std::stop_token& stop) {
  try {
    return Perform(connections_, call, options_, stop);
  } catch (const Error& error) {
    throw error.WithContext(request.method + " " + NameOf(request.key));
  }
}

HttpAnswer S3Client::SendOnce(const S3Request& request, const std::stop_token& stop) {
  const Instant now = clock_.Now();
  SignedRequest signing;
  signing.method = request.method;
  signing.path = "/" + address_.bucket + (request.key.empty() ? "" : "/" + request.key);
  signing.query = request.query;
  signing.payload_hash = HexEncode(codec::Sha256(request.body));
  signing.headers = {{"host", host_},
                     {"x-amz-content-sha256", signing.payload_hash},
                     {"x-amz-date", AmzDate(now)}};
  HttpCall call;
  call.method = request.method;
  call.url = address_.endpoint + EncodePath(signing.path);
  if (!request.query.empty()) {
    call.url += "?" + CanonicalQuery(request.query);
  }
  call.headers = signing.headers;
  call.headers.emplace_back("authorization",
                            Authorization({.access_key = address_.access_key,
                                           .secret_key = address_.secret_key,
                                           .region = address_.region},
                                          signing,
                                          now));
  call.body = request.body;
  call.on_body = request.on_body;
  HttpAnswer answer = PerformFor(request, call, stop);
  const bool fine = answer.status >= 200 && answer.status <= 299;
  if (!fine &&
      !(request.may_be_absent && answer.status == 404 && CodeOf(answer) != "NoSuchBucket")) {
    Refuse(request, answer);
  }
  return answer;
}

void S3Client::Refuse(const S3Request& request, const HttpAnswer& answer) const {
  const std::string code = CodeOf(answer);
  const std::string message = request.method + " " + NameOf(request.key) + ": it answered " +
                              std::to_string(answer.status) + (code.empty() ? "" : " " + code);
  if (IsPassing(answer.status, code)) {
    throw Error(ErrorCode::kUnavailable, message);
  }
  if (answer.status == 301 || answer.status == 307 || code == "AuthorizationHeaderMalformed") {
    throw Error(ErrorCode::kInvalidArgument,
                message,
                "is the region right" + (answer.region.empty() ? "?" : ": " + answer.region + "?"));
  }
  if (answer.status == 403 || answer.status == 401) {
    throw Error(ErrorCode::kPermissionDenied,
                message,
                "check the access key, its rights on the bucket, and this machine's clock");
  }
  if (answer.status == 404) {
    throw Error(ErrorCode::kNotFound, message, "check the endpoint and the bucket's name");
  }
  throw Error(ErrorCode::kInvalidArgument, message);
}

template <class Attempt>
auto S3Client::Retry(const S3Request& request,
                     const std::stop_token& stop,
                     const Attempt& attempt) {
  const int attempts = request.on_body || request.once ? 1 : options_.attempts;
  for (int number = 1;; ++number) {
    if (stop.stop_requested()) {
      throw Error(ErrorCode::kCancelled, request.method + " " + NameOf(request.key) + ": stopped");
    }
    if (request.attempts != nullptr) {
      *request.attempts = number;
    }
    try {
      return attempt(number);
    } catch (const Error& error) {
      if (!IsRetryable(error.code()) || number >= attempts) {
        throw number == 1 ? error
                          : error.WithContext(std::to_string(number) + " attempts, the last");
      }
      log_.Warn("bucket={} attempt={}  {}", address_.bucket, number, error.message());
    }
    PauseFor(options_.first_pause * (1 << std::min(number - 1, 6)), stop);
  }
}

HttpAnswer S3Client::Send(const S3Request& request, const std::stop_token& stop) {
  return Retry(request, stop, [&](int) { return SendOnce(request, stop); });
}

XmlElement S3Client::SendForXml(const S3Request& request,
                                std::string_view root,
                                const std::stop_token& stop) {
  return Retry(request, stop, [&](int) {
    HttpAnswer answer = SendOnce(request, stop);
    XmlElement element = ParseXml(answer.body);
    if (element.name == "Error") {
      answer.status = IsPassing(200, element.TextOf("Code")) ? 500 : 400;
      Refuse(request, answer);
    }
    if (element.name != root) {
      throw Error(ErrorCode::kCorrupt,
                  request.method + " " + NameOf(request.key) + ": it answered <" +
                      element.name.substr(0, 64) + "> instead of <" + std::string(root) + ">",
                  "is the endpoint an S3 server?");
    }
    return element;
  });
}

}  // namespace tidemark::objectstore
