// What requests mean.
#pragma once

#include "http.h"
#include "links.h"

Answer Create(Links& links, const Request& request);
Answer Follow(Links& links, const std::string& code);

Answer Problem(int status, const std::string& title);
