"""Signs and verifies with PyJWT and joserfc. One JSON object a line in, one a line out.

{"library": .., "op": "sign", "alg": .., "key": JWK, "claims": {..}} -> {"token": ..}
{"library": .., "op": "verify", "alg": .., "key": JWK, "token": ..} -> {"accepted": true or false}
What the library has not -> {"unsupported": why}
"""

import json
import sys

import jwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry


def pyjwt(call):
    if call["alg"] not in jwt.algorithms.get_default_algorithms():
        return {"unsupported": call["alg"]}
    key = jwt.PyJWK(call["key"], algorithm=call["alg"]).key
    if call["op"] == "sign":
        return {"token": jwt.encode(call["claims"], key, algorithm=call["alg"])}
    try:
        jwt.decode(call["token"], key, algorithms=[call["alg"]], options={"verify_aud": False, "verify_exp": False})
        return {"accepted": True}
    except Exception:
        return {"accepted": False}


def joserfc(call):
    algorithm = call["alg"]
    if algorithm not in JWSRegistry.algorithms:
        return {"unsupported": algorithm}
    key = import_key(call["key"])
    if call["op"] == "sign":
        return {"token": joserfc_jwt.encode({"alg": algorithm}, call["claims"], key, algorithms=[algorithm])}
    try:
        joserfc_jwt.decode(call["token"], key, algorithms=[algorithm])
        return {"accepted": True}
    except Exception:
        return {"accepted": False}


LIBRARIES = {"pyjwt": pyjwt, "joserfc": joserfc}

for line in sys.stdin:
    call = json.loads(line)
    print(json.dumps(LIBRARIES[call["library"]](call)), flush=True)
