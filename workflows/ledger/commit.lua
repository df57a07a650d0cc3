-- Applies one change: all of it, or nothing.
--
-- A script that fails midway keeps what it wrote before, so every check stands before the first write, and after it
-- only commands follow that cannot fail: types are looked at beforehand, memory by the script's flags.
--
-- KEYS  1 answer of this commit id   2 tick   3 due   4 woken   5 audit stream   6 audit private   7 durability mark
--       8 lease of the fence (any name where there is no fence)   9 record of the ledger's own clock
--       then, as often as ARGV says: records read, records to put, records to delete, index of each index entry,
--       list of each audit entry's subject
-- ARGV  1 instant of the decision, microseconds   2 the age at which it is stale, microseconds
--       3 how far it may lie ahead of us, microseconds   4 fencing number, or ''
--       5 '' no access given; 'give': refuse without the durability mark; 'refuse': the client knows better already
--       6 answer   7 how long the answer is kept, milliseconds
--       8..13 how many: reads, puts, deletes, due items, index entries, audit entries
--       14 so many seconds sooner everything comes that is due already; 0 mostly
--       then: a version for each read, JSON for each put, (item, score or '') for each due item, (member, score or '')
--       for each index entry, (body, digest, private) for each audit entry
-- Returns {'committed' | 'replayed', '<first number>:<how many>:<answer>'}
--         {'lost', 'version', place of a read that changed, from 1...}, {'lost', 'stale' | 'fence' | 'durability' | 'clock'}
--
-- Versions come from one counter for the whole ledger, so a version is never used again for the same key, even after
-- a deletion. The counter follows the clock in microseconds where it is ahead: a server that lost its last second in
-- a crash (appendfsync everysec) does not give out a number twice either.

local stored = redis.call('GET', KEYS[1])
if stored then return {'replayed', stored} end

local key_at, arg_at = 9, 14
local function key() key_at = key_at + 1; return KEYS[key_at] end
local function arg() arg_at = arg_at + 1; return ARGV[arg_at] end
local function many(place, take)
  local all = {}
  for i = 1, tonumber(ARGV[place]) do all[i] = take() end
  return all
end
-- Lua's own spelling of large numbers is 1.7e+15.
local function whole(number) return string.format('%.0f', number) end

local changed = {'lost', 'version'}
for i = 1, tonumber(ARGV[8]) do
  local head = redis.call('GETRANGE', key(), 0, 20)
  local version = head == '' and '0' or string.match(head, '^(%d+):')
  if version ~= arg() then changed[#changed + 1] = i end
end
if #changed > 2 then return changed end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local age = now - tonumber(ARGV[1])
if age > tonumber(ARGV[2]) or -age > tonumber(ARGV[3]) then return {'lost', 'stale'} end

if ARGV[4] ~= '' then
  local lease = redis.call('GET', KEYS[8])
  if not lease or string.match(lease, '^(%d+):') ~= ARGV[4] then return {'lost', 'fence'} end
end
if ARGV[5] == 'refuse' or (ARGV[5] == 'give' and redis.call('EXISTS', KEYS[7]) == 0) then
  return {'lost', 'durability'}
end

if ARGV[5] ~= '' then
  local clock = redis.call('GET', KEYS[9])
  if clock then
    local read, known = pcall(cjson.decode, string.match(clock, '^%d+:(.*)$') or '')
    local function stands(part) return part ~= nil and part ~= cjson.null end
    read = read and type(known) == 'table' and type(known.jumps) == 'number'
    if not read or stands(known.suspicion) or stands(known.doubt) or stands(known.catchup) then
      return {'lost', 'clock'}
    end
  end
end

local puts = many(9, function() return {key(), arg()} end)
local deletes = many(10, function() return key() end)
local due = many(11, function() return {arg(), arg()} end)
local index = many(12, function() return {key(), arg(), arg()} end)
local audit = many(13, function() return {key(), arg(), arg(), arg()} end)

local wrong
local function must_be(name, kind)
  local found = redis.call('TYPE', name).ok
  if found ~= 'none' and found ~= kind then wrong = name .. ' is a ' .. found .. ', not a ' .. kind end
  return found ~= 'none'
end
must_be(KEYS[3], 'zset')
must_be(KEYS[4], 'hash')
must_be(KEYS[6], 'hash')
for _, entry in ipairs(index) do must_be(entry[1], 'zset') end
for _, entry in ipairs(audit) do must_be(entry[1], 'list') end
local number = 0
if must_be(KEYS[5], 'stream') and not wrong then
  local about = redis.call('XINFO', 'STREAM', KEYS[5])
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then number = tonumber(string.match(about[i + 1], '^%d+')) end
  end
end
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
if not last then wrong = KEYS[2] .. ' is not a number' end
if wrong then return redis.error_reply('LEDGERCORRUPT ' .. wrong) end

local version = whole(math.max(last + 1, now))
local first = number + 1
stored = whole(first) .. ':' .. #audit .. ':' .. ARGV[6]

redis.call('SET', KEYS[2], version)
for _, put in ipairs(puts) do redis.call('SET', put[1], version .. ':' .. put[2]) end
for _, record in ipairs(deletes) do redis.call('DEL', record) end
if ARGV[14] ~= '0' then
  local all = redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES')
  for i = 1, #all, 2 do redis.call('ZADD', KEYS[3], string.format('%.6f', all[i + 1] - ARGV[14]), all[i]) end
end
for _, item in ipairs(due) do
  if item[2] == '' then
    redis.call('ZREM', KEYS[3], item[1])
    redis.call('HDEL', KEYS[4], item[1])
  else
    redis.call('ZADD', KEYS[3], item[2], item[1])
  end
end
for _, entry in ipairs(index) do
  if entry[3] == '' then redis.call('ZREM', entry[1], entry[2]) else redis.call('ZADD', entry[1], entry[3], entry[2]) end
end
for _, entry in ipairs(audit) do
  number = number + 1
  redis.call('XADD', KEYS[5], whole(number) .. '-0', 'body', entry[2], 'digest', entry[3])
  redis.call('HSET', KEYS[6], whole(number), entry[4])
  redis.call('RPUSH', entry[1], whole(number))
end
redis.call('SET', KEYS[1], stored, 'PX', ARGV[7])
return {'committed', stored}
