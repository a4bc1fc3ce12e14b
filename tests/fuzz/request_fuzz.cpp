// Raw bytes of one connection, on the way that a request takes: head, route, query, body, the line
// that logs it.
#include <cstdint>
#include <string>

#include "api/access_line.h"
#include "api/internal/listing.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"
#include "api/internal/versions.h"
#include "base/bytes.h"
#include "base/error.h"
#include "http/internal/exchange.h"

using namespace tidemark;  // NOLINT(google-build-using-namespace): one function

namespace {

constexpr std::array kFields{
    api::Field{"snapshotId", api::FieldType::kObjectId, api::FieldUse::kRequired},
    api::Field{"name", api::FieldType::kString, api::FieldUse::kOptional},
};

// What a session does with the bytes, without sockets. False when the head is refused.
bool Parse(ByteView bytes, http::Request& request) {
  http::BodyParser parser;
  parser.header_limit(16U << 10);
  parser.body_limit(boost::none);
  boost::system::error_code error;
  std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error || !parser.is_header_done() || !http::HeadProblem(parser).empty()) {
    return false;
  }
  http::ReadHead(parser, request);
  std::array<char, 256> piece;
  for (ByteView rest = bytes.subspan(used); !parser.is_done() && !rest.empty();) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    used = parser.put(boost::asio::buffer(rest.data(), rest.size()), error);
    request.body.append(piece.data(), piece.size() - body.size);
    if (error && error != boost::beast::http::error::need_buffer) {
      break;
    }
    if (used == 0 && body.size == piece.size()) {
      break;  // more would have to come
    }
    rest = rest.subspan(used);
  }
  TIDEMARK_CHECK(request.body.size() <= bytes.size());
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const api::RouteTable kRoutes;
  http::Request request;
  request.remote_address = "127.0.0.1";
  request.request_id = "0123456789abcdef";
  Parse({data, size}, request);
  const std::string line = api::FormatAccessLine({Instant(), {}, request, "", 200, 0});
  TIDEMARK_CHECK(std::ranges::count(line, ' ') == 8 && line.size() < 1500);
  TIDEMARK_CHECK(std::ranges::all_of(line, [](unsigned char c) { return c >= ' ' && c < 0x7f; }));
  const auto match = kRoutes.Find(request);
  TIDEMARK_CHECK(match.route == nullptr || match.allowed.empty());
  if (match.route != nullptr) {
    for (const auto& [name, value] : match.parameters.values) {
      TIDEMARK_CHECK(!value.empty());
      const auto id = ProjectId::Parse(value);
      TIDEMARK_CHECK(!id || id->ToString().size() == value.size());
    }
    api::ResolveVersion(request.Header("accept").value_or(""), match.route->versions);
  }
  try {
    api::ParseListQuery(request.query);
    api::ReadBody(request, kFields);
  } catch (const Error&) {
    return 0;  // refused
  }
  return 0;
}
