#include "client.h"

#include <cctype>

#include <boost/json.hpp>

#include "base/bytes.h"
#include "base/random.h"
#include "codec/codec.h"

namespace tidemark::app {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kTimeout{120};  // a check of an unreachable cluster takes a while
constexpr std::string_view kPrefix = "/api/tidemark/v1";
constexpr std::size_t kPageSize = 500;

std::string HeaderOf(const http::Response& response, std::string_view name) {
  for (const auto& [header, value] : response.headers) {
    if (header == name) {
      return value;
    }
  }
  return {};
}

// The value of name="..." in a challenge.
std::string QuotedParameter(const std::string& challenge, const std::string& name) {
  const std::size_t at = challenge.find(name + "=\"");
  if (at == std::string::npos) {
    return {};
  }
  const std::size_t start = at + name.size() + 2;
  return challenge.substr(start, challenge.find('"', start) - start);
}

// RFC 7616 with MD5 and qop=auth: what Atlas asks for (contract 2.1).
std::string Authorization(const Client::Options& options,
                          const std::string& challenge,
                          const http::ClientRequest& request) {
  const std::string realm = QuotedParameter(challenge, "realm");
  const std::string nonce = QuotedParameter(challenge, "nonce");
  SystemRandom random;
  const std::string cnonce = RandomHex(random, 8);
  const std::string ha1 =
      codec::Md5Hex(options.public_key + ":" + realm + ":" + options.private_key.Reveal());
  const std::string ha2 =
      codec::Md5Hex(std::string(http::MethodName(request.method)) + ":" + request.target);
  const std::string response =
      codec::Md5Hex(ha1 + ":" + nonce + ":00000001:" + cnonce + ":auth:" + ha2);
  return "Digest username=\"" + options.public_key + "\", realm=\"" + realm + "\", nonce=\"" +
         nonce + "\", uri=\"" + request.target + "\", response=\"" + response +
         "\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"" + cnonce + "\"";
}

ErrorCode CodeOf(int status) {
  switch (status) {
    case 400:
    case 413:
    case 415:
      return ErrorCode::kInvalidArgument;
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 409:
      return ErrorCode::kConflict;
    case 429:
    case 503:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kInternal;
  }
}

json::value ParseAnswer(const http::Response& response) {
  json::error_code error;
  json::value parsed =
      response.body.empty() ? json::value(nullptr) : json::parse(response.body, error);
  if (error) {
    throw Error(ErrorCode::kInternal,
                "reading the server's answer: it is not JSON",
                "is that URL one of Tidemark's?");
  }
  return parsed;
}

// What to do about it: the rule of the member that breaks one, where to look for the credentials.
std::string HintOf(const http::Response& response, const json::value& body) {
  if (response.status == 401) {
    return "check TIDEMARK_PUBLIC_KEY and TIDEMARK_PRIVATE_KEY, and the key's roles";
  }
  const json::object* object = body.if_object();
  const json::value* detail = object == nullptr ? nullptr : object->if_contains("badRequestDetail");
  std::string hint;
  if (detail != nullptr) {
    for (const json::value& field : ArrayOf(*detail, "fields")) {
      hint += (hint.empty() ? "" : "; ") + TextOf(field, "description");
    }
  }
  return hint;
}

[[noreturn]] void ThrowRefusal(const http::Response& response) {
  const json::value body = ParseAnswer(response);
  std::string message = "the server refused: " + TextOf(body, "detail");
  message += " (" + std::to_string(response.status) + " " + TextOf(body, "errorCode") + ")";
  throw Error(CodeOf(response.status), message, HintOf(response, body));
}

http::Method MethodOf(std::string_view name) {
  if (name == "POST") {
    return http::Method::kPost;
  }
  if (name == "PATCH") {
    return http::Method::kPatch;
  }
  return name == "DELETE" ? http::Method::kDelete : http::Method::kGet;
}

}  // namespace

std::string PathPart(std::string_view text) {
  if (text.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "reading the arguments: a name or an id is empty");
  }
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos) {
      escaped.push_back(c);
    } else {
      escaped += "%" + HexEncode({&byte, 1});
    }
  }
  return escaped;
}

http::ClientRequest Client::Authorized(std::string_view method, std::string_view path) {
  const http::Origin origin = http::ParseOrigin(options_.url);
  http::ClientRequest request{MethodOf(method), std::string(kPrefix) + std::string(path), {}, {}};
  const http::Response response =
      http::Send(origin, request, kTimeout);  // for the challenge; must have no effect
  if (response.status != 401) {
    ThrowRefusal(response);
  }
  request.headers.emplace_back(
      "Authorization", Authorization(options_, HeaderOf(response, "www-authenticate"), request));
  return request;
}

json::value Client::Call(std::string_view method, std::string_view path, const std::string& body) {
  http::ClientRequest request = Authorized(method, path);
  if (!body.empty()) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = body;
  }
  const http::Response response = http::Send(http::ParseOrigin(options_.url), request, kTimeout);
  if (response.status >= 300) {
    ThrowRefusal(response);
  }
  return ParseAnswer(response);
}

void Client::Download(std::string_view path, const std::function<void(std::string_view)>& sink) {
  const http::Response response =
      http::Receive(http::ParseOrigin(options_.url), Authorized("GET", path), kTimeout, sink);
  if (response.status >= 300) {
    ThrowRefusal(response);
  }
}

json::value Client::Get(std::string_view path) {
  return Call("GET", path, {});
}

json::value Client::Post(std::string_view path, const json::value& body) {
  return Call("POST", path, json::serialize(body));
}

json::value Client::Patch(std::string_view path, const json::value& body) {
  return Call("PATCH", path, json::serialize(body));
}

json::value Client::Delete(std::string_view path) {
  return Call("DELETE", path, {});
}

json::array Client::List(std::string_view path) {
  json::array rows;
  for (std::size_t page = 1;; ++page) {
    const json::value answer =
        Get(std::string(path) + "?itemsPerPage=" + std::to_string(kPageSize) +
            "&pageNum=" + std::to_string(page));
    const json::array& results = answer.at("results").as_array();
    rows.insert(rows.end(), results.begin(), results.end());
    if (results.size() < kPageSize) {
      return rows;
    }
  }
}

std::string TextOf(const json::value& object, std::string_view member) {
  const json::value* found = object.is_object() ? object.as_object().if_contains(member) : nullptr;
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

json::array ArrayOf(const json::value& object, std::string_view member) {
  const json::value* found = object.is_object() ? object.as_object().if_contains(member) : nullptr;
  return found != nullptr && found->is_array() ? found->as_array() : json::array();
}

std::int64_t NumberOf(const json::value& object, std::string_view member) {
  const json::value* found = object.is_object() ? object.as_object().if_contains(member) : nullptr;
  return found != nullptr && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

}  // namespace tidemark::app
