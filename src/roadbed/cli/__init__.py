"""The command line: `roadbed <noun> <verb>`, with short forms for the daily ones.

All but `up`, `db`, `config` and `token create --local` speak to a server over its REST API.
"""
