#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "command.h"

namespace tidemark::app {

struct Column {
  std::string_view title;
  std::function<std::string(const boost::json::value& row)> text;
};

// A column that shows a text or number member as it is.
Column Member(std::string_view title, std::string_view member);

void PrintTable(const boost::json::array& rows, const std::vector<Column>& columns);
void PrintJson(const boost::json::value& value);
// The list as a table, or {"results": [...], "totalCount": n} as JSON.
void PrintList(OutputFormat format,
               const boost::json::array& rows,
               const std::vector<Column>& columns);
// The object as JSON, or its members, one a line.
void PrintObject(OutputFormat format, const boost::json::value& object);

// One line of the object's member lastVerified; empty without one.
std::string VerifiedText(const boost::json::value& object);

// Polls `fetch` until its "state" is COMPLETED or FAILED and shows phase, documents, bytes, rate
// and remaining time: a bar on a terminal, a line on each change otherwise, nothing with JSON
// output. Returns the last answer.
boost::json::value Watch(OutputFormat format, const std::function<boost::json::value()>& fetch);

// 0 for COMPLETED; prints `error: <what> failed: reason` and returns 1 for FAILED.
int FinalStatus(std::string_view what, const boost::json::value& object);

}  // namespace tidemark::app
