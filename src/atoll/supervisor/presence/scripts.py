"""The Lua scripts of the Redis presence. Time is always Redis's own, in milliseconds since 1970.

An instance is a member "<environment>|<instance>" of the zset of leases (score: when its lease ends) and a
hash of its own: address, card, renewals, lag, problem, seen, beat, vitals. Hashes are named by a prefix and
the member.
"""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# KEYS: leases, events, epoch.
# ARGV: environment, instance, address, card, lease ms, lag, problem, heartbeat ms, a new epoch, prefix of
# hashes,
#       vitals as JSON, then instances of the environment that are known to be gone.
# Gives {1, epoch}, or {0, the address of the live environment of that name}.
RENEW = (
    _NOW
    + """
local me, own = ARGV[1] .. '|' .. ARGV[2], ARGV[10] .. ARGV[1] .. '|' .. ARGV[2]
for i = 12, #ARGV do
  redis.call('ZREM', KEYS[1], ARGV[1] .. '|' .. ARGV[i])
  redis.call('DEL', ARGV[10] .. ARGV[1] .. '|' .. ARGV[i])
end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')) do
  if member ~= me and string.sub(member, 1, #ARGV[1] + 1) == ARGV[1] .. '|' then
    local address = redis.call('HGET', ARGV[10] .. member, 'address')
    if address and address ~= ARGV[3] then
      return {0, address}
    end
  end
end
redis.call('SET', KEYS[3], ARGV[9], 'NX')
local known = redis.call('HMGET', own, 'problem', 'beat')
local beat = tonumber(known[2] or 0)
local heartbeat = now - beat >= tonumber(ARGV[8])
redis.call('ZADD', KEYS[1], now + ARGV[5], me)
redis.call('HINCRBY', own, 'renewals', 1)
redis.call('HSET', own, 'address', ARGV[3], 'card', ARGV[4], 'lag', ARGV[6], 'problem', ARGV[7], 'seen', now,
  'beat', heartbeat and now or beat, 'vitals', ARGV[11])
if heartbeat or known[1] ~= ARGV[7] then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'k', 'environment', 'e', ARGV[1], 'i', ARGV[2])
end
return {1, redis.call('GET', KEYS[3])}
"""
)

# KEYS: leases, events, hash and rows of the instance. ARGV: environment, instance.
WITHDRAW = """
redis.call('DEL', KEYS[3], KEYS[4])
if redis.call('ZREM', KEYS[1], ARGV[1] .. '|' .. ARGV[2]) == 1 then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'k', 'goodbye', 'e', ARGV[1], 'i', ARGV[2])
end
return 1
"""

# Removes an instance whose lease has ended. KEYS: leases, hash and rows of the instance. ARGV: member.
FORGET = (
    _NOW
    + """
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ends and tonumber(ends) > now then
  return 0
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[3])
return 1
"""
)

# KEYS: leases, epoch. ARGV: a new epoch, prefix of hashes.
# Gives epoch, then for each instance: member, ms left, card, renewals, lag, problem, seen, beat, vitals.
SIGHTINGS = (
    _NOW
    + """
redis.call('SET', KEYS[2], ARGV[1], 'NX')
local result = {redis.call('GET', KEYS[2])}
local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
  local own = redis.call('HMGET', ARGV[2] .. all[i], 'card', 'renewals', 'lag', 'problem', 'seen', 'beat',
    'vitals')
  if own[1] then
    result[#result + 1] = {all[i], tonumber(all[i + 1]) - now, unpack(own)}
  end
end
return result
"""
)

# KEYS: rows of the instance, events. ARGV: environment, instance, app, row ('' removes it).
STATUS = """
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[1], ARGV[3])
else
  redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*',
  'k', 'status', 'e', ARGV[1], 'i', ARGV[2], 'a', ARGV[3], 'b', ARGV[4])
return 1
"""

# KEYS: version, models, epoch. ARGV: known version, a new epoch. Gives epoch, version, models or nothing.
PULL = """
redis.call('SET', KEYS[3], ARGV[2], 'NX')
local version = redis.call('GET', KEYS[1]) or ''
if version == ARGV[1] then
  return {redis.call('GET', KEYS[3]), version}
end
return {redis.call('GET', KEYS[3]), version, redis.call('HGETALL', KEYS[2])}
"""
