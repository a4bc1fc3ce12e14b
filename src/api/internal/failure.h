#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tidemark::api {

// One entry of badRequestDetail.fields.
struct FieldProblem {
  std::string field;
  std::string description;
};

// An error answer before it is rendered: contract.md 6.
struct Failure {
  int status = 500;
  std::string code;
  std::string detail;
  std::vector<std::string> parameters;
  std::vector<FieldProblem> fields;
  std::vector<std::pair<std::string, std::string>> headers;
};

// A request that the api itself refuses, before any use case sees it.
class RequestError : public Error {
 public:
  explicit RequestError(Failure failure);

  const Failure& failure() const { return failure_; }

 private:
  Failure failure_;
};

// The answer to any error: a RequestError's own, a service::Refusal's by the table, anything else
// by its code. `request_id` is what an unexpected error shows instead of its message.
Failure FailureOf(const Error& error, std::string_view request_id);
Failure UnexpectedFailure(std::string_view request_id);

// The api's own refusals. {0} and {1} in `text` stand for the parameters.
RequestError MakeFailure(int status,
                         std::string_view code,
                         std::string_view text,
                         std::vector<std::string> parameters = {});
RequestError ResourceNotFound(std::string_view path);
RequestError MethodNotAllowed(std::string allow);
RequestError InvalidGroupId(const std::string& id);
RequestError InvalidPathId(std::string_view code, const std::string& id);
RequestError InvalidVersion();
RequestError InvalidQueryParameter(std::string_view name);
RequestError PayloadTooLarge();
RequestError UnsupportedMediaType();
RequestError MalformedJson();
RequestError NotAJsonObject();
RequestError InvalidAttribute(std::string_view name);
RequestError MissingAttribute(std::string_view name);
RequestError InvalidJsonAttribute(std::string_view name, std::string_view expected);
RequestError InvalidValue(std::string_view name, std::string_view rule);
RequestError RangeNotSatisfiable(std::uint64_t size);
// One of the codes of contract.md 6 that nobody else sends; `parameters` go into the text.
RequestError Refused(int status,
                     std::string_view code,
                     std::string_view text,
                     std::vector<std::string> parameters = {});

}  // namespace tidemark::api
