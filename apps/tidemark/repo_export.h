#pragma once

#include <memory>

#include "command.h"
#include "opened_repository.h"

namespace tidemark::app {

// `tidemark repo open ... export`. `place` is filled in by the parser; shared by the parser's
// bindings and the action.
void AddRepoExport(CLI::App& open,
                   Session& session,
                   const std::shared_ptr<const RepositoryPlace>& place);

}  // namespace tidemark::app
