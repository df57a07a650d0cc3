-- Applies one change: all of it, or nothing. Preceded by strange.lua and seen_before.lua.
--
-- A script that fails midway keeps what it wrote before, so every check stands before the first write, and after it
-- only commands follow that cannot fail: types are looked at beforehand, memory by the script's flags. A key of another type
-- than ours is put aside, or one wrong byte would stop everybody's commits, removals among them.
--
-- KEYS  1 answer of this commit id   2 tick   3 due   4 woken   5 audit stream   6 audit private   7 durability mark
--       8 lease of the fence (any name where there is no fence)   9 record of the ledger's own clock
--       10 audit head, '<number>:<link>'   11 record of older processes that were heard of
--       12 record of a doubt whether this is the newest copy of the ledger   13 record of how far the audit log is sealed
--       then, as often as ARGV says: records read, records to put, records to delete, index of each index entry,
--       list of each audit entry's subject, list of each subject whose entries go
-- ARGV  1 instant of the decision, microseconds   2 the age at which it is stale, microseconds
--       3 how far it may lie ahead of us, microseconds   4 fencing number, or ''
--       5 '' no access given; 'give': refuse without the durability mark; 'refuse': the client knows better already
--       6 answer   7 how long the answer is kept, milliseconds
--       8..13 how many: reads, puts, deletes, due items, index entries, audit entries
--       14 so many seconds sooner everything comes that is due already; 0 mostly
--       15 '<number>:<link>' of the newest audit entry that the client ever saw; '' where it saw none
--       16 so many entries are sealed with this change; '' mostly
--       17 how many: entries whose words are deleted
--       18 the first audit entry that stays: those before it go; '' mostly   19 how many subjects these were about
--       then: a version for each read, JSON for each put, (item, score or '') for each due item, (member, score or '')
--       for each index entry, (body, digest, private) for each audit entry, the number of each entry whose words are deleted
-- Returns {'committed', '<first number>:<how many>:<answer>', audit head; '' where what the client saw is not there, key that
--         was put aside...}
--         {'replayed', '<first number>:<how many>:<answer>'}
--         {'lost', 'version', place of a read that changed, from 1...}
--         {'lost', 'stale' | 'fence' | 'durability' | 'clock' | 'older' | 'restored'}
--         {'lost', 'rights'}: this user may not take anything out of the audit log
--
-- Versions come from one counter for the whole ledger, so a version is never used again for the same key, even after
-- a deletion. What has no version that can be read is said to have -1.
--
-- Each audit entry carries a link: SHA-1, the only digest that Lua has here, over the link before it, its own number and its
-- own digest (SHA-256, made by the client). Entries of an older version, which have none, are bound by the next one's.

local function linking(link, number, digest) return redis.sha1hex(link .. ':' .. number .. ':' .. digest) end

-- Where the chain is, by the newest entry of the stream: for a ledger whose head was never written, or cannot be read.
local function newest_link(stream, streamed)
  local entry = streamed > 0 and redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  local link = entry and fields_of(entry)['link']
  if not link then return streamed, '' end
  return tonumber(string.match(entry[1], '^%d+')), link
end

-- The link after entries that an older version has written behind the last link. So many that nobody should wait for them
-- begin a chain of their own.
local function link_over(stream, link, linked, streamed)
  if link == '' or streamed - linked > 10000 then return '' end
  for _, entry in ipairs(redis.call('XRANGE', stream, '(' .. whole(linked) .. '-0', '+', 'COUNT', 10000)) do
    link = linking(link, string.match(entry[1], '^%d+'), fields_of(entry)['digest'] or '')
  end
  return link
end

local stored = redis.pcall('GET', KEYS[1])
if type(stored) == 'table' then return redis.error_reply('LEDGERCORRUPT ' .. KEYS[1] .. ' is no answer') end
if stored then return {'replayed', stored} end

local key_at, arg_at = 13, 19
local function key() key_at = key_at + 1; return KEYS[key_at] end
local function arg() arg_at = arg_at + 1; return ARGV[arg_at] end
local function many(place, take)
  local all = {}
  for i = 1, tonumber(ARGV[place]) do all[i] = take() end
  return all
end

local changed = {'lost', 'version'}
for i = 1, tonumber(ARGV[8]) do
  local name = key()
  local head = redis.pcall('GETRANGE', name, 0, 20)
  local absent = head == '' and redis.call('EXISTS', name) == 0
  local version = absent and '0' or type(head) == 'string' and string.match(head, '^([1-9]%d*):') or '-1'
  if version ~= arg() then changed[#changed + 1] = i end
end
if #changed > 2 then return changed end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local age = now - tonumber(ARGV[1])
if age > tonumber(ARGV[2]) or -age > tonumber(ARGV[3]) then return {'lost', 'stale'} end

if ARGV[4] ~= '' then
  if lease_at(KEYS[8]) ~= ARGV[4] then return {'lost', 'fence'} end
end
if ARGV[5] == 'refuse' or (ARGV[5] == 'give' and redis.call('EXISTS', KEYS[7]) == 0) then
  return {'lost', 'durability'}
end

if ARGV[5] ~= '' then
  local clock = string_at(KEYS[9])
  if clock or redis.call('EXISTS', KEYS[9]) == 1 then
    local read, known = pcall(cjson.decode, string.match(clock or '', '^%d+:(.*)$') or '')
    local function stands(part) return part ~= nil and part ~= cjson.null end
    read = read and type(known) == 'table' and type(known.jumps) == 'number'
    if not read or stands(known.suspicion) or stands(known.doubt) or stands(known.catchup) then
      return {'lost', 'clock'}
    end
  end
  -- What cannot be read says nothing: whoever hears of one writes it anew within seconds.
  local read, older = pcall(cjson.decode, string.match(string_at(KEYS[11]) or '', '^%d+:(.*)$') or '')
  local left = read and type(older) == 'table' and type(older.until_us) == 'number' and older.until_us - now or 0
  if left > 0 and left <= 20000000 then return {'lost', 'older'} end
end
local newest = string_at(KEYS[10])
local continues = still_there(ARGV[15], newest, KEYS[5])
if ARGV[5] ~= '' and (not continues or redis.call('EXISTS', KEYS[12]) == 1) then return {'lost', 'restored'} end

local puts = many(9, function() return {key(), arg()} end)
local deletes = many(10, function() return key() end)
local due = many(11, function() return {arg(), arg()} end)
local index = many(12, function() return {key(), arg(), arg()} end)
local audit = many(13, function() return {key(), arg(), arg(), arg()} end)
local forgotten = many(17, arg)
local first_kept, thinned = count_of(ARGV[18]), many(19, key)

local function may(...) return redis.acl_check_cmd(...) end
local thins = not first_kept or may('XTRIM', KEYS[5], 'MINID', '0')
for _, list in ipairs(thinned) do thins = thins and may('LPOP', list) and may('LINDEX', list, '0') end
if not thins or #forgotten > 0 and not may('HDEL', KEYS[6], '0') then return {'lost', 'rights'} end

local strange = {}
is_a(KEYS[3], 'zset', strange)
is_a(KEYS[4], 'hash', strange)
is_a(KEYS[6], 'hash', strange)
for _, entry in ipairs(index) do is_a(entry[1], 'zset', strange) end
for _, entry in ipairs(audit) do is_a(entry[1], 'list', strange) end
for _, list in ipairs(thinned) do is_a(list, 'list', strange) end

local streamed = 0
if is_a(KEYS[5], 'stream', strange) then
  local about = redis.call('XINFO', 'STREAM', KEYS[5])
  for i = 1, #about, 2 do
    if about[i] == 'last-generated-id' then streamed = count_of(string.match(about[i + 1], '^%d+')) end
  end
  -- Nothing could be added behind a number beyond all numbers.
  if not streamed then strange[KEYS[5]], streamed = true, 0 end
end
local linked, link = string.match(newest or '', '^(%d+):(%x+)$')
linked = count_of(linked)
if not linked then
  is_a(KEYS[10], 'string', strange)
  linked, link = newest_link(KEYS[5], streamed)
end
local number = math.max(linked, streamed)
local version, no_counter = next_tick(KEYS[2], now)
if no_counter then strange[KEYS[2]] = true end
local first = number + 1
stored = whole(first) .. ':' .. #audit .. ':' .. ARGV[6]

local aside = put_aside(strange)
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
for _, entry in ipairs(forgotten) do redis.call('HDEL', KEYS[6], entry) end
if first_kept then
  redis.call('XTRIM', KEYS[5], 'MINID', whole(first_kept) .. '-0')
  for _, list in ipairs(thinned) do
    local oldest = redis.call('LINDEX', list, 0)
    while oldest and (tonumber(oldest) or 0) < first_kept do
      redis.call('LPOP', list)
      oldest = redis.call('LINDEX', list, 0)
    end
  end
end
if #audit > 0 then
  if streamed > linked then link = link_over(KEYS[5], link, linked, streamed) end
  for _, entry in ipairs(audit) do
    number = number + 1
    link = linking(link, whole(number), entry[3])
    redis.call('XADD', KEYS[5], whole(number) .. '-0', 'body', entry[2], 'digest', entry[3], 'link', link)
    redis.call('HSET', KEYS[6], whole(number), entry[4])
    redis.call('RPUSH', entry[1], whole(number))
  end
  redis.call('SET', KEYS[10], whole(number) .. ':' .. link)
end
-- What is sealed is due while there are entries that are not. Where nobody ever sealed any, nobody waits for it.
local sealed = count_of(ARGV[16])
if sealed and number <= sealed then
  redis.call('ZREM', KEYS[3], 'seal:ledger')
  redis.call('HDEL', KEYS[4], 'seal:ledger')
elseif sealed or #audit > 0 and redis.call('EXISTS', KEYS[13]) == 1 then
  redis.call('ZADD', KEYS[3], 'LT', string.format('%.6f', now / 1000000 + 1), 'seal:ledger')
end
redis.call('SET', KEYS[1], stored, 'PX', ARGV[7])
return {'committed', stored, continues and string_at(KEYS[10]) or '', unpack(aside)}
