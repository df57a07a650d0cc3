-- Prelude: reads what somebody else may have written, and says where it is not as we write it.

-- The string under a key, or nil where there is none, or something else than a string.
local function string_at(name)
  local found = redis.pcall('GET', name)
  return type(found) == 'string' and found or nil
end

-- A whole number that Lua can count on exactly, or nil.
local function count_of(words)
  local found = words and string.match(words, '^%d+$') and tonumber(words)
  return found and found < 9000000000000000 and found or nil
end

-- Lua's own spelling of large numbers is 1.7e+15.
local function whole(number) return string.format('%.0f', number) end

-- The next number of the ledger's one counter. It follows the clock in microseconds where that is ahead, so that a server which
-- lost its last second in a crash does not give out a number twice either; so does one whose counter cannot be read.
local function next_tick(tick, now)
  local last = count_of(string_at(tick))
  return whole(math.max((last or 0) + 1, now)), last == nil and redis.call('EXISTS', tick) == 1
end

-- A lease as we write it, `<number>:<token>` with a time to live; what never runs out, or only after `longest` milliseconds, is
-- nobody's.
local function lease_at(name, longest)
  local number, token = string.match(string_at(name) or '', '^(%d+):(.*)$')
  local left = number and redis.call('PTTL', name) or -1
  if left < 0 or longest and left > longest then return nil end
  return number, token
end

-- Puts a key out of the way where it is not of the kind that it should be: nothing of it is lost, and what it stood for begins
-- anew. Returns whether the key is there and of its kind.
local function is_a(name, kind, strange)
  local found = redis.call('TYPE', name).ok
  if found ~= kind and found ~= 'none' then strange[name] = true end
  return found == kind
end

local function put_aside(strange)
  local names = {}
  for name in pairs(strange) do
    names[#names + 1] = name
    local beside = name .. ':strange'
    -- What was put aside before is not written over.
    if redis.call('EXISTS', beside) == 1 then beside = beside .. ':' .. redis.call('TIME')[1] end
    redis.call('RENAME', name, beside)
  end
  table.sort(names)
  return names
end
