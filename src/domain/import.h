#pragma once

#include <string>

namespace tidemark::domain {

// Where an imported snapshot came from.
struct Import {
  std::string path;    // below the project's import folder
  std::string format;  // "tree", "tar" or "archive"; empty until it has been read
  std::string notes;   // what of it is not in the snapshot, lines for people
};

}  // namespace tidemark::domain
