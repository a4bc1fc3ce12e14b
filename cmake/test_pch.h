// What nearly every unit test needs; compiled once per build tree.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "std_pch.h"
