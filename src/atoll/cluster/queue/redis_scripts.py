"""The steps of the Redis queue. Each is one script: nobody ever sees half of one, and Redis' own clock rules.

Keys of a channel, below `<namespace>:queue:<channel>`:
    item:<id>   a hash: the item as published, its counts, the token of its holder
    waiting     ids by priority, then by number of arrival
    delayed     ids by the time they are due
    held        ids by the end of their lease
    dead        ids in the order they were given up
    key:<key>   the id that was published with this key
    consumers   names of living consumers by the time they count as gone
    signal      a list with one entry while there may be something to take: one consumer is woken by it
An id is in exactly one of waiting, delayed, held and dead. There is no log that would have to be trimmed.
"""

from __future__ import annotations

# 2^44: numbers of arrival stay below it for as long as anybody lives.
COMMON = """
local base = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function item(id) return base .. ':item:' .. id end
local function signal()
  if redis.call('LLEN', base .. ':signal') == 0 then redis.call('LPUSH', base .. ':signal', '1') end
end
local function wait(id)
  local number = redis.call('INCR', base .. ':number')
  local priority = tonumber(redis.call('HGET', item(id), 'priority') or '0')
  redis.call('ZADD', base .. ':waiting', (9 - priority) * 17592186044416 + number, id)
  redis.call('HSET', item(id), 'since', now)
end
local function bury(id, reason)
  redis.call('HSET', item(id), 'reason', reason, 'died', now)
  redis.call('ZADD', base .. ':dead', redis.call('INCR', base .. ':number'), id)
end
"""

# ARGV: id, data, priority, delay in ms, key, ms to remember the key. Sent twice (the answer was lost), it
# adds once; and so it does with a key, which makes the id, for as long as the item is there.
ADD = (
    COMMON
    + """
local id, key = ARGV[1], base .. ':key:' .. ARGV[5]
if redis.call('EXISTS', item(id)) == 1 then return id end
if ARGV[5] ~= '' then
  local known = redis.call('SET', key, id, 'NX', 'GET', 'PX', ARGV[6])
  if known then return known end
end
redis.call('HSET', item(id), 'data', ARGV[2], 'priority', ARGV[3], 'retried', 0, 'lost', 0)
if tonumber(ARGV[4]) > 0 then
  redis.call('ZADD', base .. ':delayed', now + ARGV[4], id)
else
  wait(id)
end
signal()
return id
"""
)

# ARGV: how many, lease in ms, token, tries that may be lost, then for each verdict: id, token, kind, delay in
# ms, reason. Gives: ms until something else may be there (-1: nothing), positions of the verdicts that came
# too late, what was leased (data, retried, lost), and the ids that were given up because they were lost too
# often.
EXCHANGE = (
    COMMON
    + """
local want, lease, token, tries = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local gone, leased, buried = {}, {}, {}
for at = 5, #ARGV, 5 do
  local id, kind = ARGV[at], ARGV[at + 2]
  if redis.call('HGET', item(id), 'token') ~= ARGV[at + 1] then
    gone[#gone + 1] = (at - 5) / 5
  else
    redis.call('ZREM', base .. ':held', id)
    if kind == 'done' then
      redis.call('DEL', item(id))
    else
      redis.call('HDEL', item(id), 'token')
      if kind == 'retry' then redis.call('HINCRBY', item(id), 'retried', 1) end
      if kind == 'dead' then
        bury(id, ARGV[at + 4])
      elseif tonumber(ARGV[at + 3]) > 0 then
        redis.call('ZADD', base .. ':delayed', now + ARGV[at + 3], id)
      else
        wait(id)
      end
    end
  end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. ':delayed', '-inf', now, 'LIMIT', 0, 500)) do
  redis.call('ZREM', base .. ':delayed', id)
  wait(id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. ':held', '-inf', now, 'LIMIT', 0, 500)) do
  redis.call('ZREM', base .. ':held', id)
  redis.call('HDEL', item(id), 'token')
  local lost = redis.call('HINCRBY', item(id), 'lost', 1)
  if lost >= tries then
    buried[#buried + 1] = id
    bury(id, 'its process died or hung ' .. lost .. ' times')
  else
    wait(id)
  end
end
if want > 0 then
  local popped = redis.call('ZPOPMIN', base .. ':waiting', want)
  for at = 1, #popped, 2 do
    local id = popped[at]
    local fields = redis.call('HMGET', item(id), 'data', 'retried', 'lost')
    redis.call('HSET', item(id), 'token', token)
    redis.call('ZADD', base .. ':held', now + lease, id)
    leased[#leased + 1] = fields
  end
end
local wait_for = -1
if redis.call('ZCARD', base .. ':waiting') > 0 then
  signal()
  wait_for = 0
else
  for _, name in ipairs({':delayed', ':held'}) do
    local head = redis.call('ZRANGE', base .. name, 0, 0, 'WITHSCORES')
    if head[2] and (wait_for < 0 or head[2] - now < wait_for) then wait_for = math.max(head[2] - now, 0) end
  end
end
return {wait_for, gone, leased, buried}
"""
)

# ARGV: lease in ms, ms a consumer counts as living, number of consumers, their names, then id and token of
# each item. Gives the positions of the items that are not held any more.
RENEW = (
    COMMON
    + """
local gone = {}
for at = 4, 3 + ARGV[3] do redis.call('ZADD', base .. ':consumers', now + ARGV[2], ARGV[at]) end
for at = 4 + ARGV[3], #ARGV, 2 do
  if redis.call('HGET', item(ARGV[at]), 'token') == ARGV[at + 1] then
    redis.call('ZADD', base .. ':held', now + ARGV[1], ARGV[at])
  else
    gone[#gone + 1] = (at - 4 - ARGV[3]) / 2
  end
end
return gone
"""
)

# Gives depth, held, age in ms of the oldest waiting (-1: none), consumers, dead, delayed.
STATUS = (
    COMMON
    + """
redis.call('ZREMRANGEBYSCORE', base .. ':consumers', '-inf', now)
local depth, oldest = redis.call('ZCARD', base .. ':waiting'), -1
for priority = 0, 9 do
  local low = (9 - priority) * 17592186044416
  local first = redis.call('ZRANGEBYSCORE', base .. ':waiting', low, low + 17592186044415, 'LIMIT', 0, 1)[1]
  if first then oldest = math.max(oldest, now - redis.call('HGET', item(first), 'since')) end
end
local due = redis.call('ZRANGEBYSCORE', base .. ':delayed', '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1)[2]
if due then
  depth = depth + redis.call('ZCOUNT', base .. ':delayed', '-inf', now)
  oldest = math.max(oldest, now - due)
end
local ended = redis.call('ZRANGEBYSCORE', base .. ':held', '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1)[2]
local late = redis.call('ZCOUNT', base .. ':held', '-inf', now)
if ended then oldest = math.max(oldest, now - ended) end
return {depth + late, redis.call('ZCARD', base .. ':held') - late, oldest,
  redis.call('ZCARD', base .. ':consumers'), redis.call('ZCARD', base .. ':dead'),
  redis.call('ZCOUNT', base .. ':delayed', '(' .. now, '+inf')}
"""
)

# ARGV: how many. Gives data, retried, lost, reason, ms since 1970 of each.
DEAD = (
    COMMON
    + """
local found = {}
for _, id in ipairs(redis.call('ZRANGE', base .. ':dead', 0, ARGV[1] - 1)) do
  found[#found + 1] = redis.call('HMGET', item(id), 'data', 'retried', 'lost', 'reason', 'died')
end
return found
"""
)

# ARGV: 1 to re-drive or 0 to drop, then ids. Gives how many there were.
UNBURY = (
    COMMON
    + """
local count = 0
for at = 2, #ARGV do
  local id = ARGV[at]
  if redis.call('ZREM', base .. ':dead', id) == 1 then
    count = count + 1
    if ARGV[1] == '1' then
      redis.call('HSET', item(id), 'retried', 0, 'lost', 0)
      redis.call('HDEL', item(id), 'reason', 'died')
      wait(id)
    else
      redis.call('DEL', item(id))
    end
  end
end
if count > 0 then signal() end
return count
"""
)

# ARGV: ids. Gives the positions of those that are nowhere.
MISSING = (
    COMMON
    + """
local found = {}
for at, id in ipairs(ARGV) do
  if redis.call('EXISTS', item(id)) == 0 then found[#found + 1] = at - 1 end
end
return found
"""
)

# KEYS: channels. Gives the positions of those where something can be taken: for wake-ups that got lost with
# their process, for delays and leases that ended.
CHECK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for at, base in ipairs(KEYS) do
  if redis.call('ZCARD', base .. ':waiting') > 0
    or redis.call('ZCOUNT', base .. ':delayed', '-inf', now) > 0
    or redis.call('ZCOUNT', base .. ':held', '-inf', now) > 0 then
    found[#found + 1] = at - 1
  end
end
return found
"""
