// tidemark-memory-server: MemoryServer as a program, for tests that are not in C++ and benchmarks.
#include <csignal>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"
#include "tests/support/memory_server.h"

namespace {

constexpr const char* kUsage =
    "usage: tidemark-memory-server [--port N] [--replica-set NAME] [--version V] [--data "
    "DIRECTORY]\n"
    "         [--generate DB.COLLECTION:DOCUMENTS:BYTES]... [--oplog-mib N] [--discard-checks]\n"
    "         [--generate-scattered DB.COLLECTION:DOCUMENTS:BYTES]...   (_ids in no order)\n"
    "Prints its port, serves until SIGTERM or SIGINT.\n";

struct Collection {
  std::string ns;
  std::uint64_t documents = 0;
  std::uint32_t bytes = 0;
  tidemark::memory::IdOrder order = tidemark::memory::IdOrder::kAscending;
};

struct Arguments {
  tidemark::memory::ServerOptions server;
  std::string data;
  std::vector<Collection> generate;
};

[[noreturn]] void ThrowUsage(const std::string& why) {
  throw tidemark::Error(tidemark::ErrorCode::kInvalidArgument, "reading the arguments: " + why);
}

std::uint64_t Number(const std::string& text, std::uint64_t most) {
  if (text.empty() || text.size() > 18 ||
      text.find_first_not_of("0123456789") != std::string::npos || std::stoull(text) > most) {
    ThrowUsage(text + " is no number up to " + std::to_string(most));
  }
  return std::stoull(text);
}

Collection ParseCollection(const std::string& text) {
  const std::size_t last = text.rfind(':');
  const std::size_t first = last == std::string::npos ? last : text.rfind(':', last - 1);
  if (first == std::string::npos) {
    ThrowUsage(text + " is not DB.COLLECTION:DOCUMENTS:BYTES");
  }
  return {text.substr(0, first),
          Number(text.substr(first + 1, last - first - 1), 1'000'000'000),
          static_cast<std::uint32_t>(Number(text.substr(last + 1), 16'000'000))};
}

void Set(Arguments& arguments, const std::string& option, const std::string& value) {
  if (option == "--port") {
    arguments.server.port = static_cast<std::uint16_t>(Number(value, 65535));
  } else if (option == "--replica-set") {
    arguments.server.replica_set = value;
  } else if (option == "--version") {
    arguments.server.version = value;
  } else if (option == "--data") {
    arguments.data = value;
  } else if (option == "--generate") {
    arguments.generate.push_back(ParseCollection(value));
  } else if (option == "--generate-scattered") {
    arguments.generate.push_back(ParseCollection(value));
    arguments.generate.back().order = tidemark::memory::IdOrder::kScattered;
  } else if (option == "--oplog-mib") {
    arguments.server.oplog_size = tidemark::MiB(Number(value, 1U << 20));
  } else {
    ThrowUsage("there is no option " + option);
  }
}

Arguments Parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--discard-checks") {
      arguments.server.checks = false;
    } else if (i + 1 == words.size()) {
      ThrowUsage(words[i] + " needs a value, or is no option");
    } else {
      Set(arguments, words[i], words[i + 1]);
      ++i;
    }
  }
  return arguments;
}

int Serve(const Arguments& arguments) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before there are threads: they inherit it
  const tidemark::SystemClock clock;
  tidemark::SystemRandom random;
  tidemark::memory::MemoryServer server(arguments.server, clock, random);
  if (!arguments.data.empty()) {
    server.LoadDump(arguments.data);
  }
  for (const Collection& collection : arguments.generate) {
    server.Generate(collection.ns, collection.documents, collection.bytes, collection.order);
  }
  std::printf("%u\n", static_cast<unsigned>(server.port()));
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return Serve(Parse({words + 1, words + count}));
  } catch (const tidemark::Error& error) {
    std::fprintf(stderr, "error: %s\n%s", error.what(), kUsage);
    return 2;
  }
}
