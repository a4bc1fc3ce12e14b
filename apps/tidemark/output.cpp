#include "output.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <boost/json.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "base/one_line.h"
#include "base/units.h"

namespace tidemark::app {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kPollEvery{300};
constexpr std::size_t kBarWidth = 24;

std::string PlainText(const json::value& value) {
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

// Characters, not bytes: a continuation byte of UTF-8 takes no place.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string Pad(const std::string& text, std::size_t width) {
  return text + std::string(width - Width(text), ' ');
}

void PrintRow(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += i + 1 == cells.size() ? cells[i] : Pad(cells[i], widths[i] + 2);
  }
  fmt::print("{}\n", line);
}

bool IsFinal(const json::value& object) {
  const std::string state = TextOf(object, "state");
  return state == "COMPLETED" || state == "FAILED";
}

// Shows how far a job is. The rate is that since the first look, so that it does not jump.
class ProgressView {
 public:
  explicit ProgressView(OutputFormat format)
      : shown_(format == OutputFormat::kTable), bar_(isatty(STDOUT_FILENO) != 0) {}

  void Show(const json::value& object) {
    if (!shown_) {
      return;
    }
    const std::string line = Line(object);
    if (bar_) {
      fmt::print("\r\033[K{}", line);
      std::fflush(stdout);
    } else if (line != last_) {
      fmt::print("{}\n", line);
      std::fflush(stdout);
    }
    last_ = line;
  }

  void End() const {
    if (shown_ && bar_) {
      fmt::print("\n");
    }
  }

 private:
  std::string Line(const json::value& object) const {
    const json::value* progress = object.as_object().if_contains("progress");
    std::string line = TextOf(object, "state");
    // What is stored of the progress is a second old: beside a final state it would be wrong.
    if (progress == nullptr || TextOf(*progress, "phase").empty() || IsFinal(object)) {
      return line;
    }
    const auto done = static_cast<double>(NumberOf(*progress, "documentsDone"));
    const auto total = static_cast<double>(NumberOf(*progress, "documentsTotal"));
    const auto bytes = static_cast<std::uint64_t>(NumberOf(*progress, "bytesDone"));
    line += "  " + TextOf(*progress, "phase");
    if (total > 0) {
      line += "  " + Bar(done / total);
    }
    line += fmt::format("  {:.0f} documents  {}", done, FormatBytes({bytes}));
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    if (bar_ && seconds > 1 && done > 0) {
      line += fmt::format(
          "  {}/s",
          FormatBytes({static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)}));
      line += total > done ? fmt::format("  {:.0f} s left", (total - done) * seconds / done) : "";
    }
    return line;
  }

  static std::string Bar(double share) {
    const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * kBarWidth);
    return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') +
           fmt::format("] {:3.0f} %", share * 100);
  }

  const bool shown_;
  const bool bar_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::string last_;
};

}  // namespace

Column Member(std::string_view title, std::string_view member) {
  return {title, [name = std::string(member)](const json::value& row) {
            const json::value* found = row.as_object().if_contains(name);
            return found == nullptr ? std::string("-") : PlainText(*found);
          }};
}

void PrintTable(const json::array& rows, const std::vector<Column>& columns) {
  std::vector<std::vector<std::string>> cells(1);
  for (const Column& column : columns) {
    cells[0].emplace_back(column.title);
  }
  for (const json::value& row : rows) {
    auto& line = cells.emplace_back();
    for (const Column& column : columns) {
      line.push_back(OneLine(column.text(row)));
    }
  }
  std::vector<std::size_t> widths(columns.size(), 0);
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], Width(line[i]));
    }
  }
  for (const auto& line : cells) {
    PrintRow(line, widths);
  }
}

void PrintJson(const json::value& value) {
  fmt::print("{}\n", json::serialize(value));
}

void PrintList(OutputFormat format, const json::array& rows, const std::vector<Column>& columns) {
  if (format == OutputFormat::kJson) {
    PrintJson({{"results", rows}, {"totalCount", rows.size()}});
  } else {
    PrintTable(rows, columns);
  }
}

void PrintObject(OutputFormat format, const json::value& object) {
  if (format == OutputFormat::kJson) {
    PrintJson(object);
    return;
  }
  std::size_t width = 0;
  for (const auto& member : object.as_object()) {
    width = std::max(width, member.key().size());
  }
  for (const auto& member : object.as_object()) {
    if (member.key() != "progress") {
      fmt::print(
          "  {}  {}\n", Pad(std::string(member.key()), width), OneLine(PlainText(member.value())));
    }
  }
}

json::value Watch(OutputFormat format, const std::function<json::value()>& fetch) {
  ProgressView view(format);
  for (;;) {
    json::value object = fetch();
    view.Show(object);
    if (IsFinal(object)) {
      view.End();
      return object;
    }
    std::this_thread::sleep_for(kPollEvery);
  }
}

int FinalStatus(std::string_view what, const json::value& object) {
  if (TextOf(object, "state") != "FAILED") {
    return 0;
  }
  fmt::print(stderr, "error: {} failed: {}\n", what, OneLine(TextOf(object, "failure")));
  return 1;
}

std::string VerifiedText(const boost::json::value& object) {
  const boost::json::value* last =
      object.is_object() ? object.get_object().if_contains("lastVerified") : nullptr;
  if (last == nullptr) {
    return {};
  }
  const std::string failure = TextOf(*last, "failure");
  const std::string target = TextOf(*last, "targetClusterName");
  const bool restored = TextOf(*last, "method") == "restored";
  return fmt::format(
      "{} {}{}",
      TextOf(*last, "finished"),
      !failure.empty() ? "FAILED: " + failure
      : restored       ? "restored into " + target
                       : "read whole",
      failure.empty() ? fmt::format(" in {} ms", NumberOf(*last, "milliseconds")) : "");
}

}  // namespace tidemark::app
