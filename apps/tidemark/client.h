#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "base/error.h"
#include "base/secret.h"
#include "http/client.h"

namespace tidemark::app {

// Calls Tidemark's own API with HTTP digest. Confined; every call blocks.
class Client {
 public:
  struct Options {
    std::string url;  // http://host:port or https://host:port
    std::string public_key;
    Secret private_key;
  };

  explicit Client(Options options) : options_(std::move(options)) {}

  // `path` below /api/tidemark/v1. The answer's JSON (null for 204). A refusal throws the Error
  // whose code fits the status, with the server's detail; kUnavailable when the server cannot be
  // reached.
  boost::json::value Get(std::string_view path);
  boost::json::value Post(std::string_view path, const boost::json::value& body);
  boost::json::value Patch(std::string_view path, const boost::json::value& body);
  boost::json::value Delete(std::string_view path);
  // The bytes of a file, piece by piece. Throws, too, when it breaks off: it is not whole then.
  void Download(std::string_view path, const std::function<void(std::string_view)>& sink);
  // All pages of a list as one array.
  boost::json::array List(std::string_view path);

 private:
  // The request with its authorization: answers the challenge that another one brings.
  http::ClientRequest Authorized(std::string_view method, std::string_view path);
  boost::json::value Call(std::string_view method, std::string_view path, const std::string& body);

  Options options_;
};

// A name or an id as one part of a path, or a value in a query, whatever characters it has: another
// path would name another object. kInvalidArgument when it is empty.
std::string PathPart(std::string_view text);

// Members of an answer; kInternal "unexpected answer" when they are not there.
std::string TextOf(const boost::json::value& object, std::string_view member);  // empty when absent
boost::json::array ArrayOf(const boost::json::value& object,
                           std::string_view member);  // empty when absent
std::int64_t NumberOf(const boost::json::value& object, std::string_view member);  // 0 when absent

}  // namespace tidemark::app
